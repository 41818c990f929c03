import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@viassh/core';
import t from 'tap';
import { brokerLogFolder, prepareLogFolder } from '../../src/broker/log-folder.ts';

t.test('where log files are', (t) => {
  const usual = join(userInfo().homedir, '.local/state/viassh/log');
  t.equal(brokerLogFolder({}), usual);
  t.equal(brokerLogFolder({ VIASSH_STATE_DIR: '', XDG_STATE_HOME: 'not/absolute' }), usual);
  t.equal(brokerLogFolder({ XDG_STATE_HOME: '/s' }), '/s/viassh/log');
  t.equal(brokerLogFolder({ VIASSH_STATE_DIR: '/own', XDG_STATE_HOME: '/s' }), '/own/log');
  t.end();
});

t.test('it is made for this user alone; one that others may fill is not written to', async (t) => {
  const state = t.testdir();
  const said: string[] = [];
  const log = createLogger('info', (level, message) => said.push(`${level}: ${message}`));
  const variables = { VIASSH_STATE_DIR: join(state, 'new') };
  for (const _ of ['made', 'there']) t.equal(await prepareLogFolder(variables, log), join(state, 'new/log'));
  t.equal(statSync(join(state, 'new/log')).mode & 0o777, 0o700);
  t.strictSame(said, []);
  chmodSync(join(state, 'new/log'), 0o770);
  t.equal(await prepareLogFolder(variables, log), undefined);
  mkdirSync(join(state, 'other'));
  symlinkSync('../new/log', join(state, 'other/log'));
  t.equal(await prepareLogFolder({ VIASSH_STATE_DIR: join(state, 'other') }, log), undefined);
  t.match(said, [
    /^warning: no log files are written: .* may be written to by others; VIASSH_STATE_DIR/,
    /is no folder/,
  ]);
});
