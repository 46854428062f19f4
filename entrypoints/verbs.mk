# Written by `make configs` from newsclf.verbs.VERBS: what `make help` says of each; the Makefile has the recipe.
VERBS := train evaluate profile monitor simulate compare promote retrain sync sweep reproduce
train:  ## Fine-tune an encoder on labelled news, test it, and log it as a model.
evaluate:  ## Measure a logged model on labelled news, alone or against a baseline.
profile:  ## Profile texts, with or without labels, and judge whether they have drifted from a reference.
monitor:  ## Judge a stream batch by batch against a reference, and raise alerts.
simulate:  ## Write a stream of dated batches in which the data changes in a known way, and the truth beside it.
compare:  ## Put runs of train and evaluate side by side: what differs in them, and whether that made a difference.
promote:  ## Make a challenger the champion of a registered model, if labelled data says so; or go back to the one before.
retrain:  ## Watch a stream, and where it has drifted train, test and promote a better model, or say what is missing.
sync:  ## Send what runs have left in the journal on this machine because their server was away.
sweep:  ## Try many settings of train, each in a run of its own, and find the best.
reproduce:  ## Run an earlier run again, from the same code, settings and data, and compare every number.
