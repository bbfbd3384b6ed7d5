-- Merchants who have charged for {days} days: payments of four kinds, cancels, moves, calls, keys, scheduled charges, webhooks, acts.
-- {count} payments, the newest a minute before {now}. Everything follows from a row's number, so that two runs have the same rows.
-- Of {shops} shops the first has six in ten of all customers; whose a customer is follows from the customer's number, too.
INSERT INTO merchants (code, name, webhook_type, webhook_retry, field_set, webhook_failures, webhook_first, created_at)
SELECT {shop_code}, 'Shop ' || s, 'json', 'few', 'full', TRUE, FALSE, {now} - INTERVAL '{days} days'
  FROM generate_series(0, {shops} - 1) AS s
    ON CONFLICT DO NOTHING;

INSERT INTO channels (merchant_id, id, name, pg_provider, pg_merchant_id, kind, test_mode, sealed_secret, is_default, allowed_origins,
                      unknown_pg, replaced_keys, created_at)
SELECT {shop_code}, c.id, c.name, 'kakaopay', CASE WHEN c.test THEN 'TCSUBSCRIP' ELSE {shop_cid} || c.last END, c.kind, c.test,
       CASE WHEN NOT c.test THEN 'x'::bytea END,
       c.last = '8' AND NOT EXISTS (SELECT 1 FROM channels d WHERE d.merchant_id = {shop_code} AND d.is_default), '[]', 'reject', 'deactivate', {now}
  FROM generate_series(0, {shops} - 1) AS s
       CROSS JOIN (VALUES ('channel-key-live-recurring', '정기결제', 'recurring', FALSE, '8'),
                          ('channel-key-live-one-time', '일반결제', 'one_time', FALSE, '9'),
                          ('channel-key-test-recurring', '테스트 정기결제', 'recurring', TRUE, '')) AS c (id, name, kind, test, last);

INSERT INTO billing_keys (merchant_id, id, customer_uid, channel_id, pg_provider, pg_merchant_id, test_mode, sealed_pg_key, pg_user_id, method,
                          card_issuer_name, customer_name, last_approved_at, last_approval_seen_at, inserted_at, updated_at, ended_at, ended_by)
SELECT {shop_code}, 'key_' || lpad(n::text, 8, '0'), 'customer_' || lpad(n::text, 6, '0'), 'channel-key-live-recurring', 'kakaopay', {shop_cid} || '8', FALSE,
       'x', 'u', CASE WHEN n % 10 < 7 THEN 'card' ELSE 'money' END, CASE WHEN n % 10 < 7 THEN '신한' END, '김민지', {now} - n % 30 * INTERVAL '1 day',
       {now} - n % 30 * INTERVAL '1 day', {now} - n % {days} * INTERVAL '1 day', {now} - n % {days} * INTERVAL '1 day',
       CASE WHEN n % 20 = 0 THEN {now} - n % 90 * INTERVAL '1 day' END, CASE WHEN n % 20 = 0 THEN 'deleted' END
  FROM (SELECT n, {shop_of_n} AS s FROM generate_series(0, {customers} - 1) AS n) AS k;

INSERT INTO payments (merchant_id, imp_uid, merchant_uid, status, version, origin, amount, tax_free, cancelled_amount, currency, name, quantity,
                      buyer_name, buyer_email, buyer_tel, customer_uid, key_use, billing_key_id, channel_id, pg_provider, pg_merchant_id, test_mode,
                      pg_tid, method, card_issuer_name, card_approval_number, card_quota, started_at, updated_at, status_at, paid_at, failed_at,
                      cancelled_at, fail_code, fail_reason, cancel_reason)
SELECT {shop_code}, 'imp_' || lpad(n::text, 12, '0'), 'order_' || to_char(at AT TIME ZONE 'Asia/Seoul', 'YYYYMMDD') || '_' || lpad(n::text, 7, '0'),
       st, CASE st WHEN 'cancelled' THEN 3 WHEN 'ready' THEN 1 ELSE 2 END,
       CASE WHEN k <= 90 THEN 'api' WHEN k <= 95 THEN 'pc' ELSE 'mobile' END, won, 0,
       CASE WHEN st = 'cancelled' THEN CASE WHEN h % 2 = 0 THEN won ELSE won / 2 END ELSE 0 END, 'KRW',
       (ARRAY['월간 구독 이용료', '커피 원두 정기배송 500g', '프리미엄 플랜 11월', '반려동물 사료 정기구독', '꽃 구독 2주', 'Music Plus monthly',
              '신문 구독료', '샐러드 정기배송 주 3회'])[1 + h % 8], 1,
       (ARRAY['김', '이', '박', '최', '정', '강', '조', '윤', '장', '임'])[1 + c % 10]
           || (ARRAY['민지', '서연', '지훈', '도윤', '하은', '준서', '지우', '서준', '예은', '시우', '현우', '수빈', '유진', '은지', '태영'])[1 + c / 10 % 15],
       'user' || c || '@' || (ARRAY['example.com', 'mail.example', 'shop.example'])[1 + c % 3],
       '010-' || lpad((c * 37 % 10000)::text, 4, '0') || '-' || lpad((c * 91 % 10000)::text, 4, '0'),
       CASE WHEN k <= 92 THEN 'customer_' || lpad(c::text, 6, '0') END,
       CASE WHEN k <= 80 THEN 'payment.scheduled' WHEN k <= 90 THEN 'payment' WHEN k <= 92 THEN 'issue' END,
       CASE WHEN k <= 92 THEN 'key_' || lpad(c::text, 8, '0') END,
       CASE WHEN test THEN 'channel-key-test-recurring' WHEN k <= 92 THEN 'channel-key-live-recurring' ELSE 'channel-key-live-one-time' END, 'kakaopay',
       CASE WHEN test THEN 'TCSUBSCRIP' WHEN k <= 92 THEN {shop_cid} || '8' ELSE {shop_cid} || '9' END, test,
       CASE WHEN took THEN 'T' || lpad(to_hex((n::bigint * 2654435761) % 4294967296), 19, '0') END,
       CASE WHEN took THEN CASE WHEN card THEN 'card' ELSE 'money' END END,
       CASE WHEN took AND card THEN (ARRAY['신한', '삼성', '현대', '국민', '롯데'])[1 + h % 5] END,
       CASE WHEN took AND card THEN lpad((n::bigint * 7919 % 100000000)::text, 8, '0') END, 0, at, at + INTERVAL '2 s',
       CASE WHEN st = 'cancelled' THEN least(at + INTERVAL '3 days', {now}) WHEN st IN ('ready', 'unknown') THEN at ELSE at + INTERVAL '1 s' END,
       CASE WHEN took THEN at + INTERVAL '1 s' END, CASE WHEN st = 'failed' THEN at + INTERVAL '1 s' END,
       CASE WHEN st = 'cancelled' THEN least(at + INTERVAL '3 days', {now}) END, CASE WHEN st = 'failed' THEN '-721' END,
       CASE WHEN st = 'failed' THEN (ARRAY['잔액이 부족합니다', '한도를 초과했습니다', '정지된 카드입니다'])[1 + h % 3] END,
       CASE WHEN st = 'cancelled' THEN (ARRAY['고객 변심', '관리자페이지취소', '중복 결제'])[1 + h % 3] END
  FROM (SELECT r.*, {shop_of_c} AS s, h % 33 = 0 AS test, st IN ('paid', 'cancelled') AS took, h % 10 < 7 AS card
          FROM (SELECT n, abs(hashint4(n)) AS h, abs(hashint4(n + 77)) % 100 AS k, abs(hashint4(n + 5)) % {customers} AS c,
                       1000 + abs(hashint4(n + 3)) % 99 * 900 AS won,
                       {now} - INTERVAL '1 minute' - ({count} - n) * (INTERVAL '{days} days' / {count}) AS at,
                       CASE WHEN n > {count} - least({count} / 100, 200) THEN 'ready' WHEN abs(hashint4(n + 9)) % 100000 < 3 THEN 'unknown'
                            WHEN abs(hashint4(n + 9)) % 100 < 5 THEN 'failed' WHEN abs(hashint4(n + 9)) % 100 < 7 THEN 'cancelled' ELSE 'paid' END AS st
                  FROM generate_series(1, {count}) AS n) AS r) AS q;

INSERT INTO payment_events (merchant_id, imp_uid, version, event, status, proof, attempt_id, happened_at)
SELECT p.merchant_id, p.imp_uid, e.* FROM payments p CROSS JOIN LATERAL (
       SELECT 1, 'begin', 'calling', NULL, 'at_' || imp_uid, started_at
        UNION ALL
       SELECT 2, CASE WHEN status = 'failed' THEN 'declined' WHEN status = 'unknown' THEN 'lost' ELSE 'approved' END,
              CASE WHEN status = 'cancelled' THEN 'paid' ELSE status END, CASE WHEN status = 'unknown' THEN 'lost' ELSE 'reply' END, 'at_' || imp_uid,
              started_at + INTERVAL '1 s'
        UNION ALL
       SELECT 3, 'cancel', 'cancelled', 'reply', 'ca_' || imp_uid, cancelled_at WHERE status = 'cancelled') AS e
 WHERE p.status <> 'ready';

INSERT INTO attempts (merchant_id, id, verb, order_id, imp_uid, billing_key_id, amount, tax_free, begun_at, outcome, proof, pg_tid, code, message,
                      recorded_at, look_at)
SELECT merchant_id, 'at_' || imp_uid, CASE WHEN billing_key_id IS NULL THEN 'approve' ELSE 'charge' END, 'at_' || imp_uid, imp_uid, billing_key_id, amount, 0,
       started_at, CASE WHEN status = 'failed' THEN 'declined' ELSE 'approved' END, 'reply', pg_tid, fail_code, fail_reason, started_at + INTERVAL '1 s', NULL
  FROM payments WHERE status NOT IN ('ready', 'unknown')
 UNION ALL
SELECT merchant_id, 'at_' || imp_uid, 'approve', 'at_' || imp_uid, imp_uid, NULL, amount, 0, started_at, 'unknown', 'lost', NULL, NULL, NULL,
       started_at + INTERVAL '1 s', {now} + INTERVAL '1 day' FROM payments WHERE status = 'unknown'
 UNION ALL
SELECT merchant_id, 'ca_' || imp_uid, 'cancel', 'ca_' || imp_uid, imp_uid, NULL, cancelled_amount, 0, cancelled_at - INTERVAL '1 s', 'approved', 'reply', pg_tid,
       NULL, NULL, cancelled_at, NULL FROM payments WHERE status = 'cancelled';

INSERT INTO cancellations (merchant_id, id, imp_uid, amount, tax_free, vat, reason, tell, begun_at, done_at)
SELECT merchant_id, 'ca_' || imp_uid, imp_uid, cancelled_amount, 0, cancelled_amount / 11, cancel_reason, TRUE, cancelled_at - INTERVAL '1 s', cancelled_at
  FROM payments WHERE status = 'cancelled';

INSERT INTO schedules (merchant_id, merchant_uid, customer_uid, channel_id, schedule_at, amount, tax_free, currency, name, quantity, buyer_name, status, imp_uid,
                       executed_at, inserted_at)
SELECT merchant_id, merchant_uid, customer_uid, channel_id, started_at, amount, 0, 'KRW', name, 1, buyer_name, 'executed', imp_uid, started_at,
       started_at - INTERVAL '30 days' FROM payments WHERE key_use = 'payment.scheduled'
 UNION ALL
SELECT {shop_code}, 'planned_' || n, 'customer_' || lpad(n::text, 6, '0'), 'channel-key-live-recurring', {now} + INTERVAL '6 hours' + n * INTERVAL '61 s', 9900, 0,
       'KRW', '월간 구독 이용료', 1, '김민지', 'scheduled', NULL, NULL, {now} - INTERVAL '1 day' FROM (SELECT n, {shop_of_n} AS s FROM generate_series(0, {customers} - 1) AS n) AS k;

INSERT INTO webhook_deliveries (merchant_id, id, imp_uid, sequence, url, by_hand, receiver, media_type, body, state, tries, created_at, due_at)
SELECT merchant_id, 'wh_' || imp_uid, imp_uid, 2, 'https://shop.example/webhook', FALSE, 'shop.example', 'application/json',
       '{{"imp_uid":"' || imp_uid || '","status":"paid"}}', CASE WHEN abs(hashtext(imp_uid)) % 50 = 0 THEN 'failed' ELSE 'delivered' END, 1, started_at + INTERVAL '1 s',
       started_at + INTERVAL '1 s' FROM payments WHERE status IN ('paid', 'cancelled');

INSERT INTO webhook_tries (merchant_id, delivery_id, number, url, sent_at, duration_ms, answer_status, answer)
SELECT merchant_id, id, 1, url, created_at, 80, CASE WHEN state = 'failed' THEN 500 ELSE 200 END, CASE WHEN state = 'failed' THEN 'error' ELSE 'OK' END FROM webhook_deliveries;

INSERT INTO audit_log (merchant_id, id, kind, subject, who, reason, fact_before, fact_after, happened_at)
SELECT merchant_id, 'act_' || imp_uid, 'cancel', imp_uid, 'owner', cancel_reason, 'cancellable=' || amount, 'cancelling=' || cancelled_amount,
       cancelled_at - INTERVAL '1 s' FROM payments WHERE status = 'cancelled';
