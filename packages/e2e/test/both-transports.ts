import t, { type Test } from 'tap';
import { missingForSshd, watchLeaks } from '@viassh/testing';
import { runtimeFolder, transports } from './run-viassh.ts';

/** For tap: the reason why no sshd can be started here, or false. */
export const skipWithoutSshd: string | false = (await missingForSshd()) ?? false;

/** One test that fails when it leaves processes, descriptors or private folders behind. */
export function tidyTest(name: string, body: (t: Test) => Promise<void>, skip: string | false = skipWithoutSshd): void {
  void t.test(name, { skip }, async (t) => {
    await watchLeaks(t, { folders: [runtimeFolder] });
    await body(t);
  });
}

/** A test on one transport, where what it is about happens on the far end alone. */
export function onTransport(
  transport: (typeof transports)[number],
  name: string,
  body: (t: Test, transport: (typeof transports)[number]) => Promise<void>,
  skip: string | false = skipWithoutSshd,
): void {
  tidyTest(`${transport}: ${name}`, (t) => body(t, transport), skip);
}

/** The same test on each transport. */
export function onBothTransports(
  name: string,
  body: (t: Test, transport: (typeof transports)[number]) => Promise<void>,
  skip: string | false = skipWithoutSshd,
): void {
  for (const transport of transports) onTransport(transport, name, body, skip);
}
