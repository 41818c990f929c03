import type { Client } from 'ssh2';

/** Calls back with every SSH_MSG_USERAUTH_FAILURE (RFC 4252 §5.1); ssh2 hides those of agent keys. Call after connect(). */
export function onLoginFailure(
  client: Client,
  listener: (methods: readonly string[], partialSuccess: boolean) => void,
): void {
  const handlers = (client as unknown as Inside)._protocol._handlers;
  const original = handlers.USERAUTH_FAILURE.bind(handlers);
  handlers.USERAUTH_FAILURE = (protocol, methods, partialSuccess) => {
    listener(methods, partialSuccess);
    original(protocol, methods, partialSuccess);
  };
}

interface Inside {
  readonly _protocol: {
    readonly _handlers: { USERAUTH_FAILURE(protocol: unknown, methods: string[], partialSuccess: boolean): void };
  };
}
