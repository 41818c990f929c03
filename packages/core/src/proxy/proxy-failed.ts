import { describeProxy, type ProxyAddress } from '../destination/proxy-address.ts';
import { ViasshError, type ViasshErrorInit } from '../errors/viassh-error.ts';

/** What a proxy is asked to dial. */
export interface ProxyTarget {
  /** A name, which the proxy resolves, or an address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
}

/** PROXY_FAILED: which proxy, what it was to reach, and why it did not. */
export function proxyFailed(
  proxy: ProxyAddress,
  { host, port }: ProxyTarget,
  reason: string,
  init: ViasshErrorInit = {},
): ViasshError {
  return new ViasshError(
    'PROXY_FAILED',
    `the proxy ${describeProxy(proxy)} did not reach ${host} port ${port}: ${reason}`,
    { hint: init.hint ?? 'check that the proxy allows this host and port', cause: init.cause },
  );
}

/** AUTH_FAILED: another try with the same user and password would fare no better. */
export function proxyLoginFailed(proxy: ProxyAddress, reason: string): ViasshError {
  return new ViasshError('AUTH_FAILED', `the proxy ${describeProxy(proxy)} does not let us in: ${reason}`, {
    hint: `give its user and password: ${proxy.protocol}://user:password@host:port`,
  });
}
