import t from 'tap';
import { JoinedChannels } from '../../src/master/joined-channels.ts';

const joined = 'connected to /run/m-XXXXXX/r-BPhepvdk port -2';

t.test('those that are there now are waited for, and no later ones', async (t) => {
  const channels = new JoinedChannels();
  await channels.freed();
  channels.note(`channel 3: ${joined}`);
  channels.note('channel 4: connected to 127.0.0.1 port 80');
  channels.note('channel 5: new mux-control [mux-control] (inactive timeout: 0)');
  t.equal(channels.size, 1);
  let over = false;
  const freed = channels.freed().then(() => (over = true));
  channels.note('channel 4: free: 127.0.0.1, nchannels 3');
  channels.note(`channel 6: ${joined}`);
  await Promise.resolve();
  t.equal(over, false);
  channels.note('channel 3: free: 127.0.0.1, nchannels 2');
  await freed;
  t.equal(channels.size, 1);
});

t.test('they go with the master', async (t) => {
  const channels = new JoinedChannels();
  channels.note(`channel 3: ${joined}`);
  channels.note(`channel 12: ${joined}`);
  const freed = channels.freed();
  channels.ended();
  await freed;
  t.equal(channels.size, 0);
});
