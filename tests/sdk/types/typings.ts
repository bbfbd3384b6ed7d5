// Pages written in TypeScript take their types from npm `iamport-typings`; what we build must be what it describes.
import type Iamport from "iamport-typings";
import type { RequestPayParams, RequestPayResponse } from "iamport-typings";

const ours = createIamport({ gateway: () => "https://gateway.example", nonce: () => "" });

export const iamport: Iamport = ours;
window.IMP = ours;

// What such a page may send, we take; what our callback gets, such a page can read.
export const taken: Parameters<typeof ours.request_pay>[0] = {} as RequestPayParams;
type Callback = NonNullable<Parameters<typeof ours.request_pay>[1]>;
export const read: RequestPayResponse = {} as Parameters<Callback>[0];
