<?php
// A subscription in three steps: register a billing key on a page, charge it, and take a no for a no.
declare(strict_types=1);

const CUSTOMER = 'member_1';  // in your shop, one for each customer

if ($_SERVER['REQUEST_METHOD'] === 'GET') {
    $filled = ['{{gateway}}' => getenv('MAEDAL_URL'), '{{code}}' => getenv('MAEDAL_CODE'), '{{customer_uid}}' => CUSTOMER];
    header('Content-Type: text/html; charset=utf-8');
    echo strtr(file_get_contents('page.html'), $filled);
    return;
}
$asked = json_decode(file_get_contents('php://input'), true, flags: JSON_THROW_ON_ERROR);
$done = $_SERVER['REQUEST_URI'] === '/registered' ? registered($asked['imp_uid']) : charge($asked['merchant_uid'], $asked['amount']);
header('Content-Type: application/json');
echo json_encode($done, JSON_THROW_ON_ERROR);

/** HTTP status and envelope of a call with a token of its own; asking again gives the same token. */
function call(string $method, string $path, ?array $body = null): array
{
    $pair = ['imp_key' => getenv('MAEDAL_API_KEY'), 'imp_secret' => getenv('MAEDAL_API_SECRET')];
    [, $token] = send('POST', '/users/getToken', $pair);
    return send($method, $path, $body, ["Authorization: Bearer {$token['response']['access_token']}"]);
}

function send(string $method, string $path, ?array $body = null, array $headers = []): array
{
    $http = ['method' => $method, 'header' => ['Content-Type: application/json', ...$headers], 'timeout' => 60, 'ignore_errors' => true];
    if ($body !== null) {
        $http['content'] = json_encode($body, JSON_THROW_ON_ERROR);
    }
    $answer = file_get_contents(getenv('MAEDAL_URL') . $path, false, stream_context_create(['http' => $http]));
    $status = (int) explode(' ', $http_response_header[0])[1];
    return [$status, json_decode($answer, true, flags: JSON_THROW_ON_ERROR)];
}

/** The page says that it went well; whether it did, the gateway says. */
function registered(string $imp_uid): array
{
    [$status, $answer] = call('GET', '/payments/' . rawurlencode($imp_uid));
    $payment = $answer['response'];
    if ($status === 200 && $payment['status'] === 'paid' && $payment['customer_uid'] === CUSTOMER) {
        return ['result' => 'registered'];
    }
    return ['result' => 'refused', 'why' => $answer['message'] ?? $payment['fail_reason']];
}

function charge(string $merchant_uid, int $amount): array
{
    $wish = ['customer_uid' => CUSTOMER, 'merchant_uid' => $merchant_uid, 'amount' => $amount, 'name' => '월간 이용권'];
    [, $answer] = call('POST', '/subscribe/payments/again', $wish);
    $payment = $answer['response'];
    if ($answer['code'] !== 0) {
        // Not carried out, or not known: what is written under our order number tells which.
        [$status, $found] = call('GET', '/payments/find/' . rawurlencode($merchant_uid));
        if ($status === 404) {
            return ['result' => 'refused', 'why' => $answer['message']];
        }
        $payment = $found['response'];
    }
    return match ($payment['status']) {
        'ready' => ['result' => 'unclear', 'why' => $answer['message']],  // never charge it again; a webhook tells the end
        'failed' => ['result' => 'refused', 'why' => $payment['fail_reason']],
        default => ['result' => $payment['status'], 'imp_uid' => $payment['imp_uid']],
    };
}
