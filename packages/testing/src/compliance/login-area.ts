import type { AuthenticationPrompt, Authenticator } from '@viassh/core';
import type { ComplianceArea } from './compliance-case.ts';
import { collect, failureOf } from './collect.ts';
import { complianceSecret } from './harness.ts';

/** Transport: logging in, or not. */
export const loginArea: ComplianceArea = {
  name: 'login',
  cases: [
    {
      name: 'a wrong key: AUTH_FAILED naming the methods tried',
      run: async (t, { serve }) => {
        const error = await failureOf((await serve({ login: 'wrong-key' })).connect());
        t.equal(error.code, 'AUTH_FAILED');
        t.match(error.message, /publickey/);
      },
    },
    {
      name: 'an encrypted key is unlocked by the answer to one question',
      login: 'encrypted-key',
      run: async (t, { serve }) => {
        const server = await serve({ login: 'encrypted-key' });
        const { prompts, authenticate } = answering(complianceSecret);
        await using connection = await server.connect({ authenticate });
        t.strictSame((await collect(await connection.openSession({ kind: 'exec', command: 'exit 2' }))).exit, {
          kind: 'status',
          code: 2,
        });
        t.match(prompts, [{ kind: 'passphrase', echo: false, text: /passphrase/i }]);
      },
    },
    {
      name: 'an encrypted key and nobody to ask: KEY_UNUSABLE or AUTH_FAILED, never a hang',
      login: 'encrypted-key',
      run: async (t, { serve }) => {
        const error = await failureOf((await serve({ login: 'encrypted-key' })).connect());
        t.match(error.code, /^(KEY_UNUSABLE|AUTH_FAILED)$/);
      },
    },
    {
      name: 'a password lets in',
      login: 'password',
      run: async (t, { serve }) => {
        const server = await serve({ login: 'password' });
        const { prompts, authenticate } = answering(complianceSecret);
        await using connection = await server.connect({ authenticate });
        t.equal(connection.info.authenticatedBy ?? 'password', 'password');
        t.match(prompts, [{ kind: 'password', echo: false }]);
      },
    },
    {
      name: 'a wrong password: AUTH_FAILED naming the methods tried, and no endless asking',
      login: 'password',
      run: async (t, { serve }) => {
        const server = await serve({ login: 'password' });
        const { prompts, authenticate } = answering('open barley');
        const error = await failureOf(server.connect({ authenticate }));
        t.equal(error.code, 'AUTH_FAILED');
        t.match(error.message, /password/);
        t.ok(prompts.length >= 1 && prompts.length <= 3, `asked ${prompts.length} times`);
        t.notOk(`${error.message} ${error.hint}`.includes('barley'), 'the answer is not shown');
      },
    },
    {
      name: 'a password asked for and nobody to ask: AUTH_FAILED',
      login: 'password',
      run: async (t, { serve }) => {
        t.equal((await failureOf((await serve({ login: 'password' })).connect())).code, 'AUTH_FAILED');
      },
    },
  ],
};

function answering(answer: string): { prompts: AuthenticationPrompt[]; authenticate: Authenticator } {
  const prompts: AuthenticationPrompt[] = [];
  const ask = async (prompt: AuthenticationPrompt): Promise<string> => {
    prompts.push(prompt);
    return answer;
  };
  return { prompts, authenticate: { ask } };
}
