#!/bin/sh
# Scores a file: ./score.sh FILE
set -eu
jq --raw-input --slurp '{text: .}' < "$1" |
  curl --silent --show-error --fail-with-body http://127.0.0.1:8017/v1/score \
    --header "x-api-key: $(cat "$(bonafide token path)")" \
    --header 'content-type: application/json' \
    --data-binary @- |
  jq --raw-output '.blocks[] | "\(.id)\t\(.verdict)\t\(.probability // "-")", (.evidence[] | "\t" + .message)'
