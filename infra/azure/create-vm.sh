#!/usr/bin/env bash
# The backend on a VM of Azure: resource group, network rules, VM with a data disk, a storage account for nightly backups.
# Needs the Azure CLI, logged in (az login). A second call changes nothing that is there.
set -euo pipefail

usage="usage: create-vm.sh --repository URL --release TAG [--name newsclf] [--location westeurope] [--site HOST]
                    [--size Standard_B2ms] [--disk-gb 128] [--ssh-from ADDRESS/BITS]
  --repository  where the VM clones this project from, by https and without a login
  --release     a tag of it; the VM gets the commit that it names now
  --site        a name of your own that points to the VM; default: the name that Azure gives it
  --ssh-from    who may use SSH; default: the address that this machine is seen by"
die() {
  echo "create-vm.sh: $*" >&2
  exit 2
}

name=newsclf location=westeurope size=Standard_B2ms disk_gb=128 repository='' release='' site='' ssh_from=''
while [ $# -gt 0 ]; do
  case $1 in --help) echo "$usage" && exit 0 ;; esac
  [ $# -ge 2 ] || die "$1 has no value
$usage"
  case $1 in
    --name) name=$2 ;;
    --location) location=$2 ;;
    --size) size=$2 ;;
    --disk-gb) disk_gb=$2 ;;
    --repository) repository=$2 ;;
    --release) release=$2 ;;
    --site) site=$2 ;;
    --ssh-from) ssh_from=$2 ;;
    *) die "$1 is no option
$usage" ;;
  esac
  shift 2
done
# It becomes the VM's name in the DNS.
[[ $name =~ ^[a-z][a-z0-9-]{1,30}[a-z0-9]$ ]] || die "--name $name: small letters, digits and dashes, 3 to 32 of them"
[[ $repository =~ ^https://[^[:space:]@\&]+$ ]] || die "--repository '$repository': an address that begins with https://"
[ -n "$release" ] || die "--release: which tag?"
[[ $disk_gb =~ ^[1-9][0-9]*$ ]] || die "--disk-gb $disk_gb: a number"
command -v az > /dev/null || die "the Azure CLI is not installed: https://learn.microsoft.com/cli/azure/install-azure-cli"
subscription=$(az account show --query id --output tsv) || die "log in first: az login"

# An annotated tag names itself, and with ^{} its commit.
commit=$(git ls-remote "$repository" "refs/tags/$release^{}" "refs/tags/$release" | sort -k2 -r | awk 'NR == 1 { print $1 }')
[ -n "$commit" ] || die "$repository has no tag $release"
if [ -z "$ssh_from" ]; then
  ssh_from=$(curl --fail --silent --show-error https://api.ipify.org)/32 || die "name the address for SSH with --ssh-from"
fi
[[ $ssh_from =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}/([1-9]|[12][0-9]|3[0-2])$ ]] || die "--ssh-from $ssh_from: as 203.0.113.7/32"
site=${site:-$name.$location.cloudapp.azure.com}
# Names of storage accounts are one for all of Azure: letters and digits, 24 at the most.
account=$(printf '%.11s' "${name//-/}")$(printf %s "$subscription$name" | cksum | cut -d' ' -f1)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -e "s|@REPOSITORY@|$repository|" -e "s|@COMMIT@|$commit|" -e "s|@SITE@|$site|" \
  -e "s|@ACCOUNT@|$account|" -e "s|@CONTAINER@|backups|" "$(dirname "$0")/cloud-init.yaml" > "$folder/cloud-init.yaml"

quietly() { az "$@" --output none; }
quietly group create --name "$name" --location "$location"

quietly network nsg create --resource-group "$name" --name "$name"
quietly network nsg rule create --resource-group "$name" --nsg-name "$name" --name https --priority 100 \
  --direction Inbound --access Allow --protocol Tcp --source-address-prefixes Internet --destination-port-ranges 443
quietly network nsg rule create --resource-group "$name" --nsg-name "$name" --name ssh --priority 110 \
  --direction Inbound --access Allow --protocol Tcp --source-address-prefixes "$ssh_from" --destination-port-ranges 22
quietly network public-ip create --resource-group "$name" --name "$name" --sku Standard --dns-name "$name"

# What is deleted or overwritten can be had back for 30 days, so that a broken VM cannot take its backups with it.
quietly storage account create --resource-group "$name" --name "$account" --sku Standard_LRS --https-only true \
  --min-tls-version TLS1_2 --allow-blob-public-access false --allow-shared-key-access false
quietly storage account blob-service-properties update --resource-group "$name" --account-name "$account" \
  --enable-versioning true --enable-delete-retention true --delete-retention-days 30
quietly storage container-rm create --resource-group "$name" --storage-account "$account" --name backups

quietly vm create --resource-group "$name" --name "$name" --image Canonical:ubuntu-24_04-lts:server:latest --size "$size" \
  --admin-username azureuser --authentication-type ssh --generate-ssh-keys --assign-identity '[system]' \
  --nsg "$name" --public-ip-address "$name" --data-disk-sizes-gb "$disk_gb" --custom-data "$folder/cloud-init.yaml"
quietly role assignment create --role "Storage Blob Data Contributor" --assignee-principal-type ServicePrincipal \
  --assignee-object-id "$(az vm show --resource-group "$name" --name "$name" --query identity.principalId --output tsv)" \
  --scope "$(az storage account show --resource-group "$name" --name "$account" --query id --output tsv)"

echo "https://$site is there in about 10 minutes ($release, $commit)"
echo "ssh azureuser@$name.$location.cloudapp.azure.com    then: cloud-init status --wait; sudo cat /data/newsclf/infra/.env"
