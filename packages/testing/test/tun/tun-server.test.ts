import { createProgramRunner } from '@viassh/program';
import { echoReply, echoRequest, missingForTun, startTunServer } from '@viassh/testing';
import t from 'tap';

const programs = createProgramRunner();

t.test('a namespace with two devices comes and goes', { skip: (await missingForTun()) ?? false }, async (t) => {
  const server = await startTunServer();
  const links = await programs.run({ file: 'ip', args: ['-n', server.namespace, '-br', 'address'] });
  t.match(links.stdout, /tun7\s.*198\.18\.7\.1.*fd98:7::1/);
  t.match(links.stdout, /tap8\s.*198\.18\.8\.1.*fd98:8::1/);
  const { sshd } = server;
  const seen = await programs.run({ file: 'ssh', args: ['-F', sshd.configFile, 't', 'cat /proc/net/dev'] });
  t.match(seen.stdout, /tun7/, 'sshd runs in there');
  await server[Symbol.asyncDispose]();
  const { stdout } = await programs.run({ file: 'ip', args: ['netns', 'list'] });
  t.notMatch(stdout, server.namespace);
});

t.test('echo packets are what the RFCs say', async (t) => {
  const payload = Buffer.from('abc');
  const four = echoRequest({ from: '192.0.2.1', to: '192.0.2.2', sequence: 5, payload });
  t.equal(four.toString('hex'), '4500001f000000004001f6dac0000201c00002020800b9427a550005616263');
  const six = echoRequest({ from: 'fe80::1', to: 'fe80::2', sequence: 5, payload });
  t.equal(six.length, 40 + 8 + 3);
  t.equal(echoReply(six), undefined, 'a request is no reply');
  four.writeUInt8(0, 20);
  t.match(echoReply(four), { family: 4, sequence: 5, payload });
});
