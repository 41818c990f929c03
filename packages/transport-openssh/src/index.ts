export { type ControlTransportOptions, createControlTransport } from './control/control-transport.ts';
export { createOpensshTransport, type OpensshTransportOptions } from './openssh-transport.ts';
