import t from 'tap';
import { memoryHarness, testTransportCompliance } from '@viassh/testing';

await testTransportCompliance(t, memoryHarness());
