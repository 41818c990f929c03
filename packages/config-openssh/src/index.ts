export { createOpensshConfigSource, type OpensshConfigOptions } from './openssh-config-source.ts';
