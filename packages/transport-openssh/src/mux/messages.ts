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

/** RFC 4253 §11.2: passes a mux proxy too, and means nothing. */
export const ignore = 2;

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

/** Control requests and their answers, PROTOCOL.mux §11. */
export const control = {
  clientAliveCheck: 0x10000004,
  clientOpenForward: 0x10000006,
  clientCloseForward: 0x10000007,
  serverOk: 0x80000001,
  serverAlive: 0x80000005,
  serverRemotePort: 0x80000007,
} as const;

/** Forwarding types, PROTOCOL.mux §11. */
export const forwardKinds = { local: 1, remote: 2 } as const;

/** In place of a port: the host is the path of a Unix socket, PROTOCOL.mux §6. */
export const streamlocalPort = 0xfffffffe;
