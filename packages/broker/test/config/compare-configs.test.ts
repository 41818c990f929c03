import t from 'tap';
import { type BrokerConfig, compareConfigs, loadBrokerConfig } from '@viassh/broker';
import { pluginsForConfig } from './registry.ts';

function load(text: string): Promise<BrokerConfig> {
  return loadBrokerConfig('config.yaml', text, { plugins: pluginsForConfig(), runtimeFolder: '/run' });
}

t.test('a reload touches what changed, and nothing else', async (t) => {
  const before = await load(`
tunnels:
  same:    { via: g, forward: local, listen: 1, to: 80 }
  other:   { via: g, forward: local, listen: 2, to: 80 }
  probed:  { via: g, forward: local, listen: 3, to: 80, probe: { kind: http } }
  byHand:  { via: g, forward: local, listen: 4, to: 80, manual: true }
  leaving: { via: g, forward: local, listen: 5, to: 80 }
`);
  const after = await load(`
share: no
# the order, the lines and the way to write it are others
tunnels:
  new:    { via: g, forward: local, listen: 5, to: 80 }
  byHand: { via: g, forward: local, listen: 4, to: 80 }
  probed: { via: g, forward: local, listen: 3, to: 80, probe: { kind: http, every: 5 } }
  other:  { via: g, forward: local, listen: 2, to: 81 }
  same:   { to: localhost:80, listen: "1", forward: local, via: g, wait: 30 }
`);
  t.strictSame(compareConfigs(before, after), {
    kept: ['same'],
    adjusted: ['byHand', 'probed'],
    changed: ['other'],
    added: ['new'],
    gone: ['leaving'],
    settings: ['share'],
  });
  t.strictSame(compareConfigs(before, before).kept, [...before.tunnels.keys()]);
});
