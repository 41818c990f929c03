import { readFile } from 'node:fs/promises';
import t from 'tap';
import { type Connection, ViasshError } from '@viassh/core';
import { sendmailOver } from 'viassh';

const refusing: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'> = {
  openSession: () => Promise.reject(new ViasshError('REQUEST_REFUSED', 'no')),
  openDirectTcpip: ({ host, port }) => Promise.reject(new ViasshError('CHANNEL_REFUSED', `${host}:${port}`)),
  openDirectStreamlocal: () => Promise.reject(new ViasshError('CHANNEL_REFUSED', 'no')),
};
const mail = {
  data: {},
  message: {
    getEnvelope: () => ({ from: 'me@x.example', to: ['you@x.example'] }),
    messageId: () => '<1@x.example>',
    createReadStream: async function* () {
      yield Buffer.from('');
    },
  },
};

t.test('what fails over there is given to the callback, and to who awaits it', async (t) => {
  const transport = sendmailOver(refusing, { to: 'mail.example:26' });
  const failure = await new Promise((resolve) => transport.send(mail, resolve));
  t.match(failure, { code: 'CHANNEL_REFUSED', message: 'mail.example:26' });
  await t.rejects(transport.verify(), { code: 'CHANNEL_REFUSED' });
  t.match(await new Promise((resolve) => transport.verify(resolve)), { code: 'CHANNEL_REFUSED' });
});

t.test('options that make no sense fail when something is sent', async (t) => {
  const transport = sendmailOver(refusing, { to: 'localhost:25', unix: '/run/smtp' });
  t.match(await new Promise((resolve) => transport.send(mail, resolve)), { code: 'OPTION_INVALID' });
});

t.test('its version is that of the package', async (t) => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  t.equal(sendmailOver(refusing).version, manifest.version);
});
