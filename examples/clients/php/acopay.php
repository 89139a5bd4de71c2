<?php
/*
 * A complete ACO Pay (翼辉支付) client in one file. Debian: php-cli (which has openssl, json and iconv).
 *
 *     php acopay.php vectors [FILE]      signs and verifies the test vectors
 *     php acopay.php place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
 *     php acopay.php query (--transaction-no NO | --mch-trade-no NO)
 *     php acopay.php close (--transaction-no NO | --mch-trade-no NO)
 *     php -S 127.0.0.1:8081 acopay.php      receives notifications, as any web server with PHP does
 *
 * The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, from the file that
 * ACOPAY_SETTINGS names, or from .acopay/demo.json, which the sandbox (npm start) writes. The contract: docs/wire/.
 *
 * What PHP gets wrong by default:
 *   json_encode   escapes / as \/ and Chinese as \uXXXX. With the two flags below it writes what the contract asks for, U+2028 and
 *                 U+2029 escaped too: do not add JSON_UNESCAPED_LINE_TERMINATORS.
 *   json_decode   into arrays turns the name "10" into an integer and {} into []: decode into objects.
 *   ksort         compares numbers as numbers. Here names are compared as UTF-16 code units.
 *   openssl_sign  takes PEM; the keys here are bare Base64 of DER. Its default digest is SHA-1, and openssl_verify answers 1, 0 or
 *                 -1, of which -1 is true in an if.
 *   base64_decode skips characters that are not Base64, unless its second argument is true.
 *   $_POST        is empty for JSON: the body is in php://input.
 */
declare(strict_types=1);

const SIGN_TYPE = 'SHA256withRSA';
const BASE_PATH = '/pay/v1/transactions/';
const VECTORS = 'packages/protocol/vectors/signature.json';
const TIMEOUT_S = 10;
const TRIES = 3;
// NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed.
const RETRYABLE = [1016, 1017, 1500];
// The gateway signs no answer to a caller who has not proved who it is. All of these are errors.
const MAY_BE_UNSIGNED = [1001, 1002, 1003, 1017, 1500];
const CLOCK_TOLERANCE_S = 300;
const BODY_BYTES_MAX = 64 * 1024;
const HEARD = '{"status":"SUCCESS","message":"成功"}';
const NOT_HEARD = '{"status":"FAIL","message":"失败"}';

/** Its text is for the person at the terminal. */
class Failure extends Exception
{
}

/** Whether the request was carried out is unknown. It may be sent again with the same numbers. */
final class Unreachable extends Failure
{
}

// -- signing ----------------------------------------------------------------------------------------------------------

/** The text that both sides sign: compact JSON, names in UTF-16 order, nulls dropped, few escapes. */
function canonical(mixed $value): string
{
    if ($value instanceof stdClass) {
        $members = array_filter(get_object_vars($value), fn ($member) => $member !== null);
        uksort($members, fn ($one, $other) => strcmp(utf16((string) $one), utf16((string) $other)));
        $texts = [];
        foreach ($members as $name => $member) {
            $texts[] = canonical((string) $name) . ':' . canonical($member);
        }
        return '{' . implode(',', $texts) . '}';
    }
    if (is_array($value)) {
        return '[' . implode(',', array_map('canonical', $value)) . ']';
    }
    return json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
}

function utf16(string $text): string
{
    return (string) iconv('UTF-8', 'UTF-16BE', $text);
}

/** @param list<string> $left */
function without(stdClass $members, array $left): stdClass
{
    $kept = new stdClass();
    foreach (get_object_vars($members) as $name => $member) {
        if (!in_array((string) $name, $left, true) && trim((string) $name) !== '') {
            $kept->{$name} = $member;
        }
    }
    return $kept;
}

function request_text(stdClass $params, string $mch_no, string $nonce): string
{
    $signed = without($params, ['aco_pay_sdk', 'version']);
    $signed->mch_no = $mch_no;
    $signed->nonce = $nonce;
    $signed->sign_type = SIGN_TYPE;
    return canonical($signed);
}

function answer_text(stdClass $envelope): string
{
    $signed = clone $envelope;
    $signed->data = $envelope->data === null ? null : without($envelope->data, ['sign']);
    return canonical($signed);
}

function notification_text(stdClass $body): string
{
    return canonical(without($body, ['sign']));
}

/** openssl_* want PEM: 64 letters a line between two labels. */
function pem(string $base64, string $label): string
{
    return "-----BEGIN $label-----\n" . chunk_split($base64, 64, "\n") . "-----END $label-----\n";
}

function sign(string $text, string $private_key): string
{
    if (!openssl_sign($text, $signature, pem($private_key, 'PRIVATE KEY'), OPENSSL_ALGO_SHA256)) {
        throw new Failure('mchPrivateKey is not a private key (Base64 of PKCS#8 DER)');
    }
    return base64_encode($signature);
}

function verifies(string $text, mixed $signature, string $public_key): bool
{
    $bytes = is_string($signature) ? base64_decode($signature, true) : false;
    return $bytes !== false && openssl_verify($text, $bytes, pem($public_key, 'PUBLIC KEY'), OPENSSL_ALGO_SHA256) === 1;
}

// -- calls ------------------------------------------------------------------------------------------------------------

/** Sends until it is answered, at most three times, with the same numbers and a new nonce. Every call is idempotent. */
function call(stdClass $settings, string $method, string $path, stdClass $params): stdClass
{
    for ($tried = 1; ; $tried += 1) {
        try {
            $envelope = send_once($settings, $method, $path, $params);
            if ($envelope->status === 200) {
                return $envelope->data;
            }
            $failure = new Failure("$envelope->status $envelope->message $envelope->fieldErrors");
            if (!in_array($envelope->status, RETRYABLE, true)) {
                throw $failure;
            }
        } catch (Unreachable $unreachable) {
            $failure = $unreachable;
        }
        if ($tried === TRIES) {
            throw $failure;
        }
        usleep(200_000 * 2 ** $tried);
    }
}

function send_once(stdClass $settings, string $method, string $path, stdClass $params): stdClass
{
    $nonce = bin2hex(random_bytes(16));
    $headers = [
        "x-acopay-mch-no: $settings->mchNo",
        "x-acopay-nonce: $nonce",
        'x-acopay-sign-type: ' . SIGN_TYPE,
        'x-acopay-sign: ' . sign(request_text($params, $settings->mchNo, $nonce), $settings->mchPrivateKey),
    ];
    $url = rtrim($settings->baseUrl, '/') . BASE_PATH . $path;
    // ignore_errors: the body of an HTTP error is read too. A redirect would carry the signed request to another host.
    $options = ['method' => $method, 'timeout' => TIMEOUT_S, 'ignore_errors' => true, 'follow_location' => 0];
    if ($method === 'GET') {
        $url .= '?' . http_build_query(get_object_vars($params)); // a space becomes "+": the gateway reads both forms
    } else {
        $headers[] = 'content-type: application/json; charset=utf-8';
        // What travels may be escaped in any way: the parsed values are signed.
        $options['content'] = json_encode($params, JSON_THROW_ON_ERROR);
    }
    $options['header'] = $headers;
    $body = @file_get_contents($url, false, stream_context_create(['http' => $options]));
    if ($body === false) {
        throw new Unreachable('no answer; query the order before you do anything else');
    }
    $http_status = (int) (explode(' ', $http_response_header[0])[1] ?? 0);
    if ($http_status !== 200) {
        $text = "HTTP $http_status: is baseUrl right?";
        throw $http_status >= 500 || $http_status === 429 ? new Unreachable($text) : new Failure($text);
    }
    return read_answer($settings, $params, $body);
}

/** The envelope, when the platform signed it and it is about what was asked. */
function read_answer(stdClass $settings, stdClass $params, string $body): stdClass
{
    $envelope = json_decode($body);
    $is_envelope = $envelope instanceof stdClass && is_int($envelope->status ?? null) && property_exists($envelope, 'data');
    if (!$is_envelope || !($envelope->data === null || $envelope->data instanceof stdClass)) {
        throw new Failure('the answer is not an envelope: is baseUrl right?');
    }
    $data = $envelope->data;
    if (!isset($data->sign)) {
        if (!in_array($envelope->status, MAY_BE_UNSIGNED, true)) {
            throw new Failure("the answer $envelope->status is not signed");
        }
        return $envelope;
    }
    $is_ours = ($data->mch_no ?? null) === $settings->mchNo && ($data->sign_type ?? null) === SIGN_TYPE;
    if (!$is_ours || !verifies(answer_text($envelope), $data->sign, $settings->platformPublicKey)) {
        throw new Failure("the answer's signature does not verify with platformPublicKey");
    }
    // A signed answer about another order proves nothing about this one. The platform's number wins.
    $name = isset($params->transaction_no) ? 'transaction_no' : 'mch_trade_no';
    if ($envelope->status === 200 && ($data->{$name} ?? null) !== $params->{$name}) {
        throw new Failure('the answer is about another order');
    }
    return $envelope;
}

/** Your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-". */
function new_trade_no(): string
{
    return gmdate('YmdHis') . bin2hex(random_bytes(10));
}

/** @param array<string, string> $asked  amount, and perhaps description, mch-trade-no, extra, notify-url */
function place(stdClass $settings, array $asked): stdClass
{
    $params = [
        'app_no' => $settings->appNo,
        'mch_trade_no' => $asked['mch-trade-no'] ?? new_trade_no(),
        'description' => $asked['description'] ?? '测试订单',
        'amount_total' => $asked['amount'], // a text with two decimals, never a number
        'amount_currency' => 'CNY',
        'extra' => $asked['extra'] ?? null,
        'notify_url' => $asked['notify-url'] ?? null,
    ];
    return call($settings, 'POST', 'trade', (object) array_filter($params, fn ($value) => $value !== null));
}

// -- notifications ----------------------------------------------------------------------------------------------------

/**
 * The HTTP status and the body of the answer. `$on_event` gets the event's id and the notification; when it throws, the gateway
 * sends the notification again.
 *
 * @return array{int, string}
 */
function hear(stdClass $settings, string $body, callable $on_event): array
{
    if (strlen($body) > BODY_BYTES_MAX) {
        return [413, NOT_HEARD];
    }
    $news = json_decode($body);
    $is_flat = $news instanceof stdClass;
    foreach ($is_flat ? get_object_vars($news) : [] as $member) {
        $is_flat = $is_flat && ($member === null || is_string($member));
    }
    if (!$is_flat) {
        return [400, NOT_HEARD];
    }
    $doubt = doubt_about($settings, $news);
    if ($doubt !== null) {
        error_log("refused: $doubt");
        return [401, NOT_HEARD];
    }
    $id = (isset($news->refund_no) ? "refund $news->refund_no" : "payment $news->transaction_no") . " $news->code";
    try {
        once($id, fn () => $on_event($id, $news));
    } catch (Throwable $failed) {
        error_log("failed: {$failed->getMessage()}");
        return [500, NOT_HEARD];
    }
    return [200, HEARD];
}

/** Null when the notification is the platform's, for this merchant and recent. */
function doubt_about(stdClass $settings, stdClass $news): ?string
{
    $is_signed = ($news->sign_type ?? null) === SIGN_TYPE
        && verifies(notification_text($news), $news->sign ?? null, $settings->platformPublicKey);
    if (!$is_signed) {
        return 'the signature does not verify with platformPublicKey';
    }
    if (($news->mch_no ?? null) !== $settings->mchNo) {
        return 'it is for another merchant';
    }
    $sent_at = strtotime($news->notify_time ?? '');
    if ($sent_at === false) {
        return 'it has no notify_time';
    }
    $age_s = abs(time() - $sent_at);
    return $age_s <= CLOCK_TOLERANCE_S ? null : "notify_time is $age_s s away: a replay, or a wrong clock?";
}

/**
 * nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the id into a table with a unique
 * key, in the transaction of your own change; a duplicate key means that it was dealt with. Here a locked file is the table.
 */
function once(string $id, callable $work): void
{
    $file = fopen(getenv('ACOPAY_HEARD') ?: sys_get_temp_dir() . '/acopay-heard.txt', 'a+');
    if ($file === false || !flock($file, LOCK_EX)) {
        throw new RuntimeException('the list of events cannot be locked');
    }
    rewind($file);
    while (($line = fgets($file)) !== false) {
        if (rtrim($line, "\n") === $id) {
            error_log("again $id");
            return;
        }
    }
    $work();
    fwrite($file, "$id\n"); // The lock ends when the file is closed, after this.
}

/** Under a web server, this file is the address that `notify_url` names. */
function serve_notification(): void
{
    // The body's bytes as they came; $_POST has only forms.
    [$status, $answer] = hear(settings(getenv('ACOPAY_SETTINGS') ?: null), file_get_contents('php://input'), function ($id) {
        // Your own work comes here. Throw for a code that you do not know: the event comes again when you know it.
        error_log("event $id");
    });
    http_response_code($status);
    header('content-type: application/json; charset=utf-8');
    echo $answer;
}

// -- the command line -------------------------------------------------------------------------------------------------

function settings(?string $file): stdClass
{
    $file = $file ?? (getenv('ACOPAY_SETTINGS') ?: '.acopay/demo.json');
    $settings = json_decode((string) @file_get_contents($file));
    return $settings instanceof stdClass ? $settings : throw new Failure("$file cannot be read: is the sandbox running?");
}

function check_vectors(string $file): bool
{
    $vectors = json_decode((string) file_get_contents($file), false, 512, JSON_THROW_ON_ERROR);
    $keys = $vectors->keys;
    $are_ok = true;
    foreach ($vectors->requests as $row) {
        $text = request_text($row->params, $row->params->mch_no, $row->params->nonce);
        $are_ok = check_vector($row, $text, $keys->merchantPrivateKey, $keys->merchantPublicKey) && $are_ok;
    }
    foreach ($vectors->responses as $row) {
        $text = isset($row->body->status) ? answer_text($row->body) : notification_text($row->body);
        $are_ok = check_vector($row, $text, $keys->platformPrivateKey, $keys->platformPublicKey) && $are_ok;
    }
    return $are_ok;
}

/** Both directions: the same signature is made, the given one verifies, and one for another text does not. */
function check_vector(stdClass $row, string $text, string $private_key, string $public_key): bool
{
    $is_ok = $text === $row->canonical
        && sign($text, $private_key) === $row->sign
        && verifies($text, $row->sign, $public_key)
        && !verifies("$text ", $row->sign, $public_key);
    echo $is_ok ? 'ok' : 'FAILED', " $row->name\n";
    return $is_ok;
}

function show(stdClass $data): void
{
    foreach (get_object_vars($data) as $name => $value) {
        if ($value !== null && !in_array($name, ['sign', 'sign_type', 'nonce'], true)) {
            echo "$name $value\n";
        }
    }
}

/**
 * @param list<string> $args  --name value, in pairs
 * @return array<string, string>
 */
function options(array $args): array
{
    $options = [];
    foreach (array_chunk($args, 2) as [$name, $value]) {
        $options[substr($name, 2)] = $value;
    }
    return $options;
}

/** @param list<string> $args */
function main(array $args): int
{
    $command = array_shift($args);
    if ($command === 'vectors') {
        return check_vectors($args[0] ?? VECTORS) ? 0 : 1;
    }
    if (!in_array($command, ['place', 'query', 'close'], true) || count($args) % 2 !== 0) {
        throw new Failure('say one of: vectors, place --amount 12.50, query --transaction-no NO, close --transaction-no NO');
    }
    $asked = options($args);
    $settings = settings($asked['settings'] ?? null);
    if ($command === 'place') {
        show(place($settings, $asked));
        return 0;
    }
    $named = ['transaction_no' => $asked['transaction-no'] ?? null, 'mch_trade_no' => $asked['mch-trade-no'] ?? null];
    $ref = (object) array_filter($named, fn ($number) => $number !== null);
    show($command === 'query' ? call($settings, 'GET', 'trade', $ref) : call($settings, 'POST', 'close', $ref));
    return 0;
}

if (PHP_SAPI !== 'cli') {
    serve_notification();
    return;
}
try {
    exit(main(array_slice($argv, 1)));
} catch (Failure $failure) {
    fwrite(STDERR, "{$failure->getMessage()}\n");
    exit(1);
}
