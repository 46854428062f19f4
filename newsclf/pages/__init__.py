"""The pages room: what every report.html looks like, whatever it reports."""
