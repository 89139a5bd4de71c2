#!/bin/sh
# A complete ACO Pay (翼辉支付) client in one file: POSIX sh, curl, openssl and jq. Debian: curl, openssl, jq.
#
#     sh acopay.sh vectors [FILE]      signs and verifies the test vectors
#     sh acopay.sh place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
#     sh acopay.sh query (--transaction-no NO | --mch-trade-no NO)
#     sh acopay.sh close (--transaction-no NO | --mch-trade-no NO)
#     sh acopay.sh notification < body      verifies a notification; prints the answer to give
#
# A shell is no web server: `notification` is for the program that received the body. Its exit code says which HTTP status to
# answer: 0 is 200, 3 is 400, 4 is 401, any other is 500. Run for one event at a time, or put a lock around it.
#
# The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, by default
# .acopay/demo.json: the file that the sandbox (npm start) writes. The contract: docs/wire/.
#
# What these tools get wrong by default:
#   jq        keeps nulls; writes U+007F as \u007f and leaves U+2028, U+2029 as they are; ends its output with a line end; sorts by
#             code point (the same as UTF-16 order for all names of the contract).
#   $(…)      takes all line ends off the end of a value and cannot hold U+0000: values stay JSON here, in which both are escaped.
#   openssl   reads PEM; the keys here are bare Base64 of DER. `openssl base64` breaks lines after 64 letters, -A stops it.
#   curl      reads a file where the value of -d begins with @, and sends -d as it is: a "+" would arrive as a space.
#             --data-urlencode name@- encodes. It waits without end (--max-time), and is told nothing by an HTTP error.
#   echo      may interpret backslashes: printf '%s' does not.
#   ps        shows the arguments of every process to every user: keys are in files of a private directory, never in arguments.
set -eu
umask 077
LC_ALL=C
export LC_ALL

base_path=/pay/v1/transactions/
vectors=packages/protocol/vectors/signature.json
settings=.acopay/demo.json
clock_tolerance_s=300
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

fail() { # the reason, the exit code
  printf '%s\n' "$1" >&2
  exit "${2:-1}"
}

# -- signing -----------------------------------------------------------------------------------------------------------

line_separator=$(printf '\342\200\250')
paragraph_separator=$(printf '\342\200\251')

# The text that both sides sign, without a line end. Stdin: a JSON object. $1: a jq filter that takes away what is not signed.
canonical() {
  jq -cS "$1"' | walk(if type == "object" then with_entries(select(.value != null)) else . end)' |
    tr -d '\n' | sed -e "s/$line_separator/\\\\u2028/g" -e "s/$paragraph_separator/\\\\u2029/g" |
    # `\u007f` is U+007F where an even number of backslashes stands before it.
    sed -e :again -e "s/\\(^\\|[^\\]\\)\\(\\(\\\\\\\\\\)*\\)\\\\u007f/\\1\\2$(printf '\177')/" -e t\ again
}

no_blank_names='with_entries(select(.key | test("^\\s*$") | not))'
request_filter="$no_blank_names | del(.aco_pay_sdk, .version)"
answer_filter='if .data then .data |= del(.sign) else . end'
notification_filter="$no_blank_names | del(.sign)"

# Decodes a key of the JSON file $2 into the file $3. $1: the key's place, for jq.
key_file() {
  jq -r "$1 // empty" "$2" | openssl base64 -d -A >"$3"
  [ -s "$3" ] || fail "$2: $1 is missing or not Base64"
}

# Signs stdin with the private key in the file $1 (PKCS#8 DER).
sign() { openssl dgst -sha256 -sign "$1" -keyform DER | openssl base64 -A; }

# Whether the file $3 holds the signature (Base64) of the file $2, by the public key in the file $1 (SubjectPublicKeyInfo DER).
verifies() {
  openssl base64 -d -A <"$3" >"$dir/signature" 2>"$dir/ignored" || return 1
  # openssl skips letters that are not Base64: only what an encoder writes is accepted.
  [ "$(openssl base64 -A <"$dir/signature")" = "$(cat "$3")" ] || return 1
  openssl dgst -sha256 -verify "$1" -keyform DER -signature "$dir/signature" "$2" >"$dir/ignored" 2>&1
}

# -- calls -------------------------------------------------------------------------------------------------------------

setting() { jq -er ".$1" "$settings" || fail "$settings has no $1"; }

read_settings() {
  [ -r "$settings" ] || fail "$settings cannot be read: is the sandbox running?"
  key_file .mchPrivateKey "$settings" "$dir/merchant"
  key_file .platformPublicKey "$settings" "$dir/platform"
  base_url=$(setting baseUrl)
  base_url=${base_url%/}
  mch_no=$(setting mchNo)
}

# Sends until it is answered, at most three times, with the same numbers and a new nonce: every call is idempotent. $1: the method,
# $2: the path. The parameters are in the file params. Prints the members of the answer's data.
call() {
  tried=1
  while :; do
    send_once "$1" "$2"
    case $status in
    200)
      jq -r '.data | del(.sign, .sign_type, .nonce) | to_entries[] | select(.value != null) | "\(.key) \(.value)"' "$dir/answer"
      return
      ;;
    # No answer; NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed.
    0 | 1016 | 1017 | 1500) [ "$tried" -lt 3 ] || fail "$reason" ;;
    *) fail "$reason" ;;
    esac
    sleep "$tried"
    tried=$((tried + 1))
  done
}

# Sets status (0: whether the request was carried out is unknown) and reason.
send_once() {
  nonce=$(openssl rand -hex 16)
  jq -c --arg mch_no "$mch_no" --arg nonce "$nonce" '. + {$mch_no, $nonce, sign_type: "SHA256withRSA"}' "$dir/params" |
    canonical "$request_filter" | sign "$dir/merchant" >"$dir/sign"
  # curl reads its headers and its data from files.
  printf 'x-acopay-mch-no: %s\nx-acopay-nonce: %s\nx-acopay-sign-type: SHA256withRSA\nx-acopay-sign: %s\n' \
    "$mch_no" "$nonce" "$(cat "$dir/sign")" >"$dir/headers"
  url=$base_url$base_path$2
  if [ "$1" = GET ]; then
    url="$url?$(jq -r 'to_entries | map("\(.key)=\(.value | @uri)") | join("&")' "$dir/params")"
    http_status=$(curl -s --max-time 10 -H "@$dir/headers" -o "$dir/answer" -w '%{http_code}' "$url") || http_status=0
  else
    printf 'content-type: application/json; charset=utf-8\n' >>"$dir/headers"
    http_status=$(curl -s --max-time 10 -H "@$dir/headers" -o "$dir/answer" -w '%{http_code}' \
      --data-binary "@$dir/params" "$url") || http_status=0
  fi
  case $http_status in
  200) check_answer ;;
  0 | 000 | 429 | 5*) status=0 reason='no answer; query the order before you do anything else' ;;
  *) fail "HTTP $http_status: is baseUrl right?" ;;
  esac
}

# The platform signed the answer, and it is about what was asked.
check_answer() {
  status=$(jq -er '.status | numbers' "$dir/answer") || fail 'the answer is not an envelope: is baseUrl right?'
  reason="$status $(jq -r '"\(.message) \(.fieldErrors // "")"' "$dir/answer")"
  if ! jq -e '.data.sign | strings' "$dir/answer" >"$dir/ignored"; then
    case $status in
    # The gateway signs no answer to a caller who has not proved who it is. All of these are errors.
    1001 | 1002 | 1003 | 1017 | 1500) return ;;
    *) fail "the answer $status is not signed" ;;
    esac
  fi
  canonical "$answer_filter" <"$dir/answer" >"$dir/text"
  jq -j .data.sign "$dir/answer" >"$dir/sign"
  jq -e --arg mch_no "$mch_no" '.data.mch_no == $mch_no and .data.sign_type == "SHA256withRSA"' "$dir/answer" >"$dir/ignored" &&
    verifies "$dir/platform" "$dir/text" "$dir/sign" ||
    fail "the answer's signature does not verify with platformPublicKey"
  # A signed answer about another order proves nothing about this one. The platform's number wins.
  [ "$status" != 200 ] || jq -e --slurpfile asked "$dir/params" '$asked[0] as $asked |
    if $asked.transaction_no then .data.transaction_no == $asked.transaction_no
    else .data.mch_trade_no == $asked.mch_trade_no end' "$dir/answer" >"$dir/ignored" ||
    fail 'the answer is about another order'
}

# -- notifications -----------------------------------------------------------------------------------------------------

heard='{"status":"SUCCESS","message":"成功"}'
not_heard='{"status":"FAIL","message":"失败"}'

# $1: the exit code. $2: what to say of it.
refuse() {
  printf '%s\n' "$not_heard"
  fail "refused: $2" "$1"
}

notification() {
  head -c 65537 >"$dir/body"
  [ "$(wc -c <"$dir/body")" -le 65536 ] && iconv -f UTF-8 -t UTF-8 "$dir/body" >"$dir/ignored" 2>&1 &&
    jq -e 'type == "object" and all(.[]; . == null or type == "string")' "$dir/body" >"$dir/ignored" 2>&1 ||
    refuse 3 'not a notification'
  canonical "$notification_filter" <"$dir/body" >"$dir/text"
  jq -j '.sign // ""' "$dir/body" >"$dir/sign"
  jq -e '.sign_type == "SHA256withRSA"' "$dir/body" >"$dir/ignored" && verifies "$dir/platform" "$dir/text" "$dir/sign" ||
    refuse 4 'the signature does not verify with platformPublicKey'
  [ "$(jq -r .mch_no "$dir/body")" = "$mch_no" ] || refuse 4 'it is for another merchant'
  # Of the offset, jq reads only Z: the times of the contract are all in +08:00.
  age_s=$(jq -r '.notify_time | rtrimstr("+08:00") + "Z" | fromdateiso8601 - 28800 - now | fabs | floor' "$dir/body") ||
    refuse 4 'it has no notify_time'
  [ "$age_s" -le "$clock_tolerance_s" ] || refuse 4 "notify_time is $age_s s away: a replay, or a wrong clock?"
  # nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the id into a table with a unique
  # key, in the transaction of your own change; a duplicate key means that it was dealt with. Here a file is the table.
  event_id=$(jq -r '(if .refund_no then "refund " + .refund_no else "payment " + .transaction_no end) + " " + .code' "$dir/body")
  list=${ACOPAY_HEARD:-${TMPDIR:-/tmp}/acopay-heard.txt}
  if [ -e "$list" ] && grep -qxF "$event_id" "$list"; then
    printf 'again %s\n' "$event_id" >&2
  else
    # Your own work comes here. Fail for a code that you do not know: the event comes again when you know it.
    printf 'event %s\n' "$event_id" >&2
    printf '%s\n' "$event_id" >>"$list"
  fi
  printf '%s\n' "$heard"
}

# -- the command line --------------------------------------------------------------------------------------------------

# Both directions: the same signature is made, the given one verifies, and one for another text does not. The row is in the file
# row. $1: its member that is signed. $2: merchant or platform, whose keys these are. $3: the filter.
check_vector() {
  jq ".$1" "$dir/row" | canonical "$3" >"$dir/text"
  jq -j .canonical "$dir/row" >"$dir/canonical"
  jq -j .sign "$dir/row" >"$dir/sign"
  sign "$dir/$2" <"$dir/text" >"$dir/own"
  { cat "$dir/text" && printf ' '; } >"$dir/other"
  cmp -s "$dir/text" "$dir/canonical" && cmp -s "$dir/own" "$dir/sign" &&
    verifies "$dir/$2.public" "$dir/text" "$dir/sign" && ! verifies "$dir/$2.public" "$dir/other" "$dir/sign"
}

check_vectors() {
  failed=0
  for name in merchant platform; do
    key_file ".keys.${name}PrivateKey" "$1" "$dir/$name"
    key_file ".keys.${name}PublicKey" "$1" "$dir/$name.public"
  done
  for kind in requests responses; do
    count=$(jq ".$kind | length" "$1")
    index=0
    while [ "$index" -lt "$count" ]; do
      jq ".${kind}[$index]" "$1" >"$dir/row"
      if [ "$kind" = requests ]; then
        set -- "$1" params merchant "$request_filter"
      elif jq -e .body.status "$dir/row" >"$dir/ignored"; then
        set -- "$1" body platform "$answer_filter"
      else
        set -- "$1" body platform "$notification_filter"
      fi
      said=ok
      check_vector "$2" "$3" "$4" || { said=FAILED && failed=1; }
      printf '%s %s\n' "$said" "$(jq -r .name "$dir/row")"
      index=$((index + 1))
    done
  done
  return "$failed"
}

# Puts a parameter into the file params. $1: its name, $2: its value.
put() {
  jq -c --arg name "$1" --arg value "$2" '.[$name] = $value' "$dir/params" >"$dir/params.new"
  mv "$dir/params.new" "$dir/params"
}

command=${1:-}
[ $# -eq 0 ] || shift
if [ "$command" = vectors ]; then
  check_vectors "${1:-$vectors}"
  exit
fi
printf '{}' >"$dir/params"
while [ $# -gt 1 ]; do
  case $1 in
  --settings) settings=$2 ;;
  --amount) put amount_total "$2" ;; # a text with two decimals, never a number
  --description | --extra | --mch-trade-no | --notify-url | --transaction-no)
    put "$(printf '%s' "${1#--}" | tr - _)" "$2"
    ;;
  *) fail "unknown option $1" ;;
  esac
  shift 2
done
case $command in
place)
  read_settings
  # Your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-".
  new_trade_no=$(date -u +%Y%m%d%H%M%S)$(openssl rand -hex 10)
  jq -c --arg app_no "$(setting appNo)" --arg mch_trade_no "$new_trade_no" \
    '{$app_no, $mch_trade_no, description: "测试订单", amount_currency: "CNY"} + .' "$dir/params" >"$dir/params.new"
  mv "$dir/params.new" "$dir/params"
  call POST trade
  ;;
query) read_settings && call GET trade ;;
close) read_settings && call POST close ;;
notification) read_settings && notification ;;
*) fail 'say one of: vectors, place --amount 12.50, query --transaction-no NO, close --transaction-no NO, notification < body' ;;
esac
