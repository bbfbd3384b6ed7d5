<?php
// Webhooks of maedal: proved to be ours, read again from the gateway, kept once.
declare(strict_types=1);

const SECONDS_MAX = 300;

http_response_code(receive(file_get_contents('php://input')));

/** Take one webhook and return the HTTP status to answer. $body is what came, byte by byte. */
function receive(string $body): int
{
    [$id, $time, $signatures] = array_map(fn ($name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']);
    if (!is_ours($id, $time, $signatures, $body)) {
        return 401;
    }
    $form = str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/x-www-form-urlencoded');
    $told = $form ? $_POST : json_decode($body, true, flags: JSON_THROW_ON_ERROR);

    // A webhook is only news. What is true, the gateway says.
    $payment = read_payment($told['imp_uid']);
    if ($payment === null) {  // a test call, or another merchant's
        return 200;
    }

    // webhook-id is the same in every try; behind its last "-" is a number that grows with each news of a payment.
    // So one statement keeps out what came twice, and what came late.
    $kept = database()->prepare(
        'INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (imp_uid) DO UPDATE SET status = excluded.status,'
        . ' cancelled = excluded.cancelled, news = excluded.news WHERE excluded.news > payments.news'
    );
    $news = (int) substr($id, strrpos($id, '-') + 1);
    $kept->execute([$payment['imp_uid'], $payment['merchant_uid'], $payment['status'], $payment['amount'], $payment['cancel_amount'], $news]);
    if ($kept->rowCount() > 0) {
        // Compare the amount with your order before you deliver anything.
        error_log("kept {$payment['merchant_uid']} {$payment['status']} {$payment['amount']} {$payment['cancel_amount']}");
    }
    return 200;
}

/** Whether one of the signatures is of our secret, and the time is ours within five minutes. */
function is_ours(string $id, string $time, string $signatures, string $body): bool
{
    if (!ctype_digit($time) || abs(time() - (int) $time) > SECONDS_MAX) {
        return false;
    }
    $secret = base64_decode(substr(getenv('MAEDAL_WEBHOOK_SECRET'), strlen('whsec_')));
    $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$time.$body", $secret, true));
    // While a secret is being changed there are two signatures, with a blank between them.
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($right, $signature)) {
            return true;
        }
    }
    return false;
}

function read_payment(string $imp_uid): ?array
{
    $pair = ['imp_key' => getenv('MAEDAL_API_KEY'), 'imp_secret' => getenv('MAEDAL_API_SECRET')];
    $token = ask('POST', '/users/getToken', json_encode($pair))['access_token'];
    return ask('GET', '/payments/' . rawurlencode($imp_uid), null, $token);
}

function ask(string $method, string $path, ?string $body, string $token = ''): ?array
{
    $headers = ['Content-Type: application/json', ...($token === '' ? [] : ["Authorization: Bearer $token"])];
    $http = ['method' => $method, 'header' => $headers, 'content' => $body ?? '', 'timeout' => 10, 'ignore_errors' => true];
    $answer = file_get_contents(getenv('MAEDAL_URL') . $path, false, stream_context_create(['http' => $http]));
    $status = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
    if ($status === 404) {
        return null;
    }
    if ($answer === false || $status !== 200) {
        throw new RuntimeException("$method $path: HTTP $status");  // 500, and the webhook comes again
    }
    return json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['response'];
}

/** Your own database. The highest number of a payment's news stays beside the payment. */
function database(): PDO
{
    $database = new PDO(getenv('SHOP_DATABASE') ?: 'sqlite:shop.db');
    $database->exec(
        'CREATE TABLE IF NOT EXISTS payments'
        . ' (imp_uid TEXT PRIMARY KEY, merchant_uid TEXT, status TEXT, amount INTEGER, cancelled INTEGER, news INTEGER)'
    );
    return $database;
}
