import t from 'tap';
import { isUser, parseSocksUsers } from '../../src/negotiate/proxy-users.ts';

t.test('a user comes in with the own password alone', async (t) => {
  const users = parseSocksUsers('# who may\nanna:sec:ret\r\n\notto: blank \n');
  t.ok(isUser(users, 'anna', 'sec:ret'));
  t.ok(isUser(users, 'otto', ' blank '));
  for (const [user, password] of [
    ['anna', ' blank '],
    ['anna', 'sec'],
    ['anna', ''],
    ['Anna', 'sec:ret'],
    ['nobody', ''],
    ['', ''],
    ['# who may', ''],
  ] as const)
    t.notOk(isUser(users, user, password), `${user}:${password}`);
});

t.test('a list that would let in another than meant is refused, and the error shows no password', async (t) => {
  for (const [text, message] of [
    ['', /no user/],
    ['# only this\n', /no user/],
    ['anna:a\nhunter2', /line 2 .* USER:PASSWORD/],
    ['anna:', /line 1 /],
    [':hunter2', /line 1 /],
    ['anna:hunter2\nanna:b', /line 2 .* second time/],
    [`anna:${'hunter2'.repeat(40)}`, /line 1 .* 255 bytes/],
  ] as const) {
    t.throws(() => parseSocksUsers(text), { code: 'OPTION_INVALID', message });
    t.throws(() => parseSocksUsers(text), { message: /^(?!.*hunter2)/ });
  }
});
