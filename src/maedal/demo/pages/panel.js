// @ts-check
// The demo's page: buttons, subscriptions, orders and the log. Everything shown comes from the server's /api/state.
import { buy, charge, check, endSubscription, plan, shop, ShopError, stopPlan } from './pay.js';

const t = shop.texts;
const locale = shop.lang === 'ko' ? 'ko-KR' : 'en-GB';
const POLL_MILLISECONDS = 1000;
const $ = (id) => document.getElementById(id);
const won = (amount) => (shop.lang === 'ko' ? `${amount.toLocaleString('ko-KR')}원` : `${amount.toLocaleString('en')} KRW`);
const day = (seconds) => new Date(seconds * 1000).toLocaleDateString(locale, { year: 'numeric', month: 'long', day: 'numeric' });
const moment = (seconds) => new Date(seconds * 1000).toLocaleString(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const methodName = (thing) => t[`method_${thing.pay_method}`] ?? t.method_unknown;
/** A registration without a charge is "paid" on the wire; people say registered. */
const statusOf = (order) => (order.kind === 'register' && order.status === 'paid' ? 'registered' : order.status);

/** An element with attributes and children; text is always text, never markup. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

// One thing at a time: while it runs every button waits, and afterwards the focus is where it was.

let busy = false;
let shown = null; // the order whose outcome is on the page

function setBusy(now) {
  busy = now;
  document.querySelectorAll('main button:not(.copy)').forEach((button) => { button.disabled = now; });
  $('result').setAttribute('aria-busy', String(now));
}

async function run(action) {
  if (busy) return;
  const focused = document.activeElement;
  setBusy(true);
  notice('');
  try {
    await action();
  } catch (error) {
    notice(error instanceof ShopError ? error.message : t.error_unexpected);
    if (!(error instanceof ShopError)) console.error(error);
    if ($('result').dataset.status === 'running') idle();
  } finally {
    setBusy(false);
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus({ preventScroll: true });
    look();
  }
}

function notice(sentence) {
  $('notice').textContent = sentence;
  $('notice').hidden = !sentence;
  if (sentence) $('notice').scrollIntoView({ block: 'nearest' });
}

function result(status, title, message, order) {
  const box = $('result');
  box.dataset.status = status;
  box.dataset.merchantUid = order?.merchant_uid ?? '';
  const body = [el('p', { class: 'result-title', 'data-testid': 'result-title' }, el('span', { class: 'mark', 'aria-hidden': 'true' }), title)];
  if (message) body.push(el('p', { class: 'result-message', 'data-testid': 'result-message' }, message));
  if (order) {
    body.push(el('dl', { class: 'facts' },
      el('div', {}, el('dt', {}, t.amount), el('dd', {}, won(order.amount))),
      order.pay_method && ['paid', 'registered', 'cancelled'].includes(status) && el('div', {}, el('dt', {}, t.method), el('dd', {}, methodName(order))),
      el('div', {}, el('dt', {}, t.order_number), el('dd', { class: 'mono' }, order.merchant_uid))));
  }
  $('result-body').replaceChildren(...body);
  $('result-actions').replaceChildren(...(order ? actionsOf(order) : []));
  if (busy && status !== 'idle') box.scrollIntoView({ block: 'nearest' });
}

function idle() {
  shown = null;
  result('idle', '', '', null);
  $('result-body').replaceChildren(el('p', { class: 'muted' }, t.result_idle));
}

const running = (step) => result('running', t[`running_${step}`], '', null);

function outcome(order) {
  shown = order;
  const status = statusOf(order);
  result(status, t[`outcome_${status}`], sentenceOf(order), order);
}

function sentenceOf(order) {
  const status = statusOf(order);
  if (status === 'forged') return order.message === 'cancel_failed' ? t.outcome_forged_stuck : t.outcome_forged_text;
  if (status === 'failed' && /-75[01]\b/.test(order.message ?? '')) return `${t.ended_in_kakaopay} ${order.message}`;
  return order.message ?? t[`outcome_${status}_text`] ?? '';
}

function actionsOf(order) {
  const actions = [];
  if (['pending', 'checking'].includes(order.status)) {
    actions.push(el('button', { type: 'button', class: 'slim', 'data-testid': 'check-order', disabled: busy, onclick: () => run(async () => {
      running('check');
      try {
        outcome(await check(order.merchant_uid));
      } catch (error) {
        outcome(order);
        throw error;
      }
    }) }, t.check));
  }
  if (/^https?:\/\//.test(order.receipt_url ?? '')) {
    actions.push(el('a', { href: order.receipt_url, target: '_blank', rel: 'noopener noreferrer' }, t.receipt));
  }
  return actions;
}

// The three ways to buy.

document.querySelectorAll('[data-buy]').forEach((button) => {
  button.addEventListener('click', () => run(async () => outcome(await buy(button.dataset.buy, running))));
});

// Subscriptions: one card each, kept while the list changes, so that nobody's typing is lost.

const cards = new Map();

function subscriptionCard(customer_uid) {
  const inputId = `again-${customer_uid}`;
  const errorId = `${inputId}-error`;
  const part = (name, attributes) => el(name, attributes);
  const parts = {
    method: part('h3', { 'data-testid': 'subscription-method' }),
    chip: part('span', { class: 'chip' }),
    note: part('p', { class: 'small' }),
    last: part('dd', { 'data-testid': 'subscription-last' }),
    total: part('dd', { 'data-testid': 'subscription-total' }),
    monthly: el('button', { 'data-testid': 'plan-monthly' }, t.plan),
    next: part('p', { 'data-testid': 'next-charge' }),
    stop: el('button', { type: 'button', class: 'slim', 'data-testid': 'stop-plan', onclick: () => run(async () => planned(await stopPlan(customer_uid))) }, t.plan_stop),
    history: part('ul', { class: 'rows', 'data-testid': 'subscription-history' }),
  };
  const amount = el('input', { id: inputId, type: 'text', inputmode: 'numeric', autocomplete: 'off', value: '3000', maxlength: '10', 'data-testid': 'again-amount', 'aria-describedby': errorId });
  const problem = el('p', { id: errorId, class: 'field-error', role: 'alert', hidden: true }, t.again_invalid);
  const form = el('form', { class: 'again', novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const digits = amount.value.replaceAll(',', '').trim();
    const valid = /^\d{1,8}$/.test(digits) && Number(digits) >= 1 && Number(digits) <= 10_000_000;
    problem.hidden = valid;
    amount.setAttribute('aria-invalid', String(!valid));
    if (!valid) return amount.focus();
    const monthly = event.submitter === parts.monthly;
    run(async () => {
      if (monthly) return planned(await plan(customer_uid, Number(digits)));
      running('charge');
      outcome(await charge(customer_uid, Number(digits)));
    });
  } },
  el('label', { for: inputId }, t.again_label),
  el('div', { class: 'again-line' }, amount, el('button', { class: 'primary', 'data-testid': 'charge-again' }, t.again), parts.monthly),
  problem);
  parts.planned = el('div', { class: 'planned' }, parts.next, parts.stop);
  const end = el('button', { type: 'button', class: 'quiet-button', 'data-testid': 'end-subscription', onclick: () => askToEnd(customer_uid) }, t.end);
  const active = el('div', {}, parts.planned, form, end);
  const card = el('article', { class: 'card', 'data-testid': 'subscription', 'data-customer-uid': customer_uid },
    el('div', { class: 'card-head' }, parts.method, parts.chip),
    el('p', { class: 'mono small' }, customer_uid),
    parts.note,
    el('dl', { class: 'facts' }, el('div', {}, el('dt', {}, t.last_charge), parts.last), el('div', {}, el('dt', {}, t.total_charged), parts.total)),
    active,
    el('details', {}, el('summary', {}, t.history), parts.history));
  return { card, parts, active };
}

function planned(subscription) {
  const { plan: next } = subscription;
  shown = null;
  result(next ? 'registered' : 'ended', next ? t.planned : t.plan_stopped, next ? nextCharge(next) : t.plan_stopped_text, null);
}

const nextCharge = (next) => t.next_charge.replace('{date}', day(next.charge_at)).replace('{amount}', won(next.amount));

function drawSubscription(subscription) {
  if (!cards.has(subscription.customer_uid)) cards.set(subscription.customer_uid, subscriptionCard(subscription.customer_uid));
  const { card, parts, active } = cards.get(subscription.customer_uid);
  const ended = subscription.status === 'ended';
  const charges = subscription.charges.filter((order) => order.kind !== 'register');
  const paid = charges.filter((order) => order.status === 'paid');
  const last = charges.find((order) => order.status !== 'pending');
  card.dataset.status = subscription.status;
  const name = subscription.pay_method === 'card' && subscription.method_name; // the issuer's name
  const method = methodName(subscription);
  parts.method.textContent = name && name !== method ? `${method} · ${name}` : method;
  parts.method.dataset.method = subscription.pay_method ?? '';
  parts.chip.textContent = ended ? t.ended : t.active;
  parts.chip.dataset.status = ended ? 'ended' : 'paid';
  parts.note.textContent = !ended ? '' : subscription.ended_by === 'kakaopay' ? t.ended_in_kakaopay : t.ended_text.replace('{date}', day(subscription.ended_at));
  parts.note.hidden = !ended;
  parts.last.textContent = last ? `${won(last.amount)} · ${t[`status_${last.status}`]} · ${moment(last.settled_at ?? last.ordered_at)}` : t.none_yet;
  parts.total.textContent = t.count_times.replace('{count}', String(paid.length)).replace('{amount}', paid.reduce((sum, order) => sum + order.amount, 0).toLocaleString('en'));
  active.hidden = ended;
  const next = subscription.plan;
  parts.planned.hidden = !next;
  parts.monthly.hidden = Boolean(next);
  if (next) parts.next.textContent = nextCharge(next);
  // The planned one is told above, and is no charge yet.
  parts.history.replaceChildren(...subscription.charges.filter((order) => order.merchant_uid !== next?.merchant_uid).map(orderRow));
  return card;
}

function orderRow(order) {
  const status = statusOf(order);
  const sentence = ['failed', 'refused', 'forged', 'cancelled'].includes(status) ? sentenceOf(order) : '';
  return el('li', { 'data-testid': 'order', 'data-status': status, 'data-merchant-uid': order.merchant_uid },
    el('div', { class: 'row-line' },
      el('b', {}, t[`kind_${order.kind}`]), el('span', { class: 'row-amount' }, won(order.amount)),
      el('span', { class: 'chip', 'data-status': status }, t[`status_${status}`]), el('span', { class: 'small' }, moment(order.ordered_at))),
    sentence && el('p', { class: 'small' }, sentence),
    el('div', { class: 'row-actions' }, ...actionsOf(order)));
}

function askToEnd(customer_uid) {
  if (busy) return;
  const dialog = $('end-dialog');
  dialog.returnValue = 'no';
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue !== 'yes') return;
    run(async () => {
      running('end');
      await endSubscription(customer_uid);
      shown = null;
      result('ended', t.ended_done, t.ended_done_text, null);
    });
  };
}

// The log.

const seen = new Set();

function logEntry(entry) {
  const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const block = (title, value) => [el('p', { class: 'log-part' }, title), el('pre', {}, value == null ? t.nothing : pretty(value))];
  const status = entry.kind === 'rest' ? String(entry.status ?? t.no_answer) : '';
  const fine = entry.kind === 'callback' ? entry.got?.success !== false && !entry.got?.error_code : entry.kind !== 'rest' || (entry.status === 200 && entry.got?.code === 0);
  const copy = el('button', { type: 'button', class: 'slim copy', 'data-testid': 'log-copy', onclick: async () => {
    const { number: _number, ...facts } = entry;
    const done = await navigator.clipboard.writeText(JSON.stringify(facts, null, 2)).then(() => true, () => false);
    copy.textContent = done ? t.copied : t.copy_failed;
    setTimeout(() => { copy.textContent = t.copy; }, 1500);
  } }, t.copy);
  return el('li', { 'data-testid': 'log-entry', 'data-kind': entry.kind, 'data-title': entry.title, 'data-fine': String(fine) },
    el('details', {},
      el('summary', {},
        el('span', { class: 'log-way' }, t[`way_${entry.kind}`], el('time', {}, new Date(entry.at * 1000).toLocaleTimeString('en-GB'))),
        el('span', { class: 'log-title' }, t[`call_${entry.title}`]),
        entry.method && el('span', { class: 'mono log-url' }, `${entry.method} ${pathOf(entry.url)}`),
        status && el('span', { class: 'chip', 'data-status': fine ? 'paid' : 'failed' }, entry.milliseconds == null ? status : `${status} · ${entry.milliseconds} ms`)),
      el('div', { class: 'log-body' }, copy,
        entry.method && el('p', { class: 'mono small' }, `${entry.method} ${entry.url}`),
        ...(entry.headers && Object.keys(entry.headers).length ? block(t.headers, entry.headers) : []),
        ...(entry.kind === 'rest' || entry.kind === 'request_pay' ? block(t.sent, entry.sent) : []),
        ...(entry.kind === 'request_pay' ? [] : block(t.got, entry.got)))));
}

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return decodeURIComponent(pathname) + (search.length > 40 ? '?…' : search);
  } catch {
    return url;
  }
}

// Looking at the server's state, once a second while somebody is watching.

let version = '';
let looking = false;

async function look() {
  if (looking || document.hidden) return;
  looking = true;
  try {
    const reply = await fetch(`/api/state?since=${encodeURIComponent(version)}`);
    live(reply.ok);
    if (reply.status === 200) draw(await reply.json());
  } catch {
    live(false);
  } finally {
    looking = false;
  }
}

function live(on) {
  $('live').dataset.on = String(on);
  $('live').textContent = on ? t.log_live : t.log_lost;
}

function draw(state) {
  version = state.version;
  const wanted = state.subscriptions.map(drawSubscription);
  const list = $('subscriptions');
  if (wanted.some((card, place) => list.children[place] !== card)) list.replaceChildren(...wanted);
  $('subscriptions-empty').hidden = wanted.length > 0;
  $('orders').replaceChildren(...state.orders.map(orderRow));
  $('orders').hidden = state.orders.length === 0;
  $('orders-empty').hidden = state.orders.length > 0;
  const fresh = state.journal.filter((entry) => !seen.has(entry.number));
  fresh.forEach((entry) => seen.add(entry.number));
  $('log').prepend(...fresh.map(logEntry));
  while ($('log').children.length > 120) $('log').lastChild.remove();
  $('log-empty').hidden = seen.size > 0;
  // A webhook may have settled the order that we are showing.
  const all = [...state.orders, ...state.subscriptions.flatMap((subscription) => subscription.charges)];
  const now = shown && all.find((order) => order.merchant_uid === shown.merchant_uid);
  if (now && !busy && (now.status !== shown.status || now.message !== shown.message)) outcome(now);
  setBusy(busy);
}

// Coming back by the browser's back button, after a phone went away to KakaoPay.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  setBusy(false);
  idle();
  look();
});
document.addEventListener('visibilitychange', look);
setInterval(look, POLL_MILLISECONDS);
look();
