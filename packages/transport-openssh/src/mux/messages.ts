/** Message numbers of RFC 4254 §9 that pass a mux proxy. */
export const message = {
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const;

/** RFC 4254 §5.2 */
export const extendedDataStderr = 1;

/** PROTOCOL.mux; the proxy numbers are in OpenSSH's mux.c only. */
export const mux = {
  hello: 0x00000001,
  clientProxy: 0x1000000f,
  serverPermissionDenied: 0x80000002,
  serverFailure: 0x80000003,
  serverProxy: 0x8000000f,
  version: 4,
} as const;
