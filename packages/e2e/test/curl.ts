import { type RequestListener, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { findProgram } from '@viassh/testing';
import { skipWithoutSshd } from './both-transports.ts';
import { runProgram } from './run-program.ts';

/** For tap: why curl cannot be used here, or false. */
export const skipWithoutCurl: string | false =
  skipWithoutSshd || ((await findProgram('curl')) === undefined ? 'no curl here' : false);

/** What curl ended with, and what it printed: the page, or its own words. */
export interface Fetched {
  readonly code: number | null;
  readonly page: string;
  readonly stderr: string;
}

/** `curl ARGS…` without a configuration of its own and without proxies of the environment. */
export async function curl(args: readonly string[], before: readonly string[] = []): Promise<Fetched> {
  const none = { http_proxy: undefined, https_proxy: undefined, all_proxy: undefined, no_proxy: undefined };
  const upper = Object.fromEntries(Object.keys(none).map((name) => [name.toUpperCase(), undefined]));
  const [file = '', ...words] = [...before, 'curl', '-q', '-sS', '--max-time', '20', ...args];
  const { code, stdout, stderr } = await runProgram(file, words, { env: { ...none, ...upper } });
  return { code, page: stdout.toString(), stderr };
}

/** A web server of this process: each page is the name of the server and the path asked for. */
export async function startWeb(
  stack: AsyncDisposableStack,
  name: string,
  host = '127.0.0.1',
  onRequest: RequestListener = (request, response) => void response.end(`${name} ${request.url ?? ''}`),
): Promise<number> {
  const server = createServer(onRequest);
  await once(server.listen(0, host), 'listening');
  stack.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}
