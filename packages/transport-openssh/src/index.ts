export { createOpensshTransport, type OpensshTransportOptions } from './openssh-transport.ts';
