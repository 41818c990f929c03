import t from 'tap';
import { sessionEnv } from '../src/session-env.ts';

const variables = {
  LANG: 'de',
  LC_ALL: 'C',
  LC_TIME: 'en',
  XLANG: 'no',
  'A.B': 'dot',
  AxB: 'no dot',
  GONE: undefined,
  EMPTY: '',
};

t.test('patterns name whole variables', async (t) => {
  t.same(sessionEnv(['LANG', 'LC_*', 'A.B', 'EMPTY'], [], variables), {
    LANG: 'de',
    LC_ALL: 'C',
    LC_TIME: 'en',
    'A.B': 'dot',
    EMPTY: '',
  });
  t.same(sessionEnv(['?ANG', 'GONE', 'NOT_SET'], [], variables), { LANG: 'de' });
});

t.test('nothing is sent that is not named', async (t) => {
  t.same(sessionEnv([], [], variables), {});
});

t.test('a pattern with a dash takes names out again, the last word counts', async (t) => {
  t.same(sessionEnv(['LC_*', '-LC_T*'], [], variables), { LC_ALL: 'C' });
  t.same(sessionEnv(['-LC_T*', 'LC_*'], [], variables), { LC_ALL: 'C', LC_TIME: 'en' });
});

t.test('SetEnv wins, keeps = and blanks, loses its quotes', async (t) => {
  t.same(sessionEnv(['LANG'], ['LANG=fr', 'A=x=y', 'B=two words', 'C="quoted"', 'D='], variables), {
    LANG: 'fr',
    A: 'x=y',
    B: 'two words',
    C: 'quoted',
    D: '',
  });
});
