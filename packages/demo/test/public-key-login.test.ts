import ssh2 from 'ssh2';
import t from 'tap';
import { generateEd25519Key } from '../src/ed25519-key.ts';
import { publicKeyLogin } from '../src/public-key-login.ts';

const [ours, theirs] = [generateEd25519Key('ours'), generateEd25519Key('theirs')];

function parse(key: string): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

/** What the login says to one request. */
function ask(request: object): 'accept' | 'reject' | undefined {
  let said: 'accept' | 'reject' | undefined;
  const context = {
    method: 'publickey',
    username: 'demo',
    key: { algo: 'ssh-ed25519', data: ours.publicBlob },
    ...request,
  };
  publicKeyLogin(
    'demo',
    parse(ours.publicLine),
  )({ ...context, accept: () => (said = 'accept'), reject: () => (said = 'reject') } as unknown as ssh2.AuthContext);
  return said;
}

t.test('who signed with the key gets in, and only under the one name', async (t) => {
  const blob = Buffer.from('what is signed');
  const signature = parse(ours.privateKey).sign(blob);
  t.equal(ask({ blob, signature }), 'accept');
  t.equal(ask({}), 'accept', 'the key would do: no login yet, RFC 4252 §7');
  t.equal(ask({ blob, signature, username: 'root' }), 'reject');
  t.equal(ask({ blob, signature, username: 'demo\0' }), 'reject');
});

t.test('a foreign signature, another key, another method are refused', async (t) => {
  const blob = Buffer.from('what is signed');
  t.equal(ask({ blob, signature: parse(theirs.privateKey).sign(blob) }), 'reject');
  t.equal(ask({ blob: Buffer.from('another'), signature: parse(ours.privateKey).sign(blob) }), 'reject');
  t.equal(ask({ signature: Buffer.alloc(64) }), 'reject');
  t.equal(ask({ key: { algo: 'ssh-ed25519', data: theirs.publicBlob } }), 'reject');
  t.equal(ask({ key: { algo: 'ssh-rsa', data: ours.publicBlob } }), 'reject');
  for (const method of ['none', 'password', 'keyboard-interactive', 'hostbased']) t.equal(ask({ method }), 'reject');
});
