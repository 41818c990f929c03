export { createSsh2Transport, type Ssh2TransportOptions } from './ssh2-transport.ts';
