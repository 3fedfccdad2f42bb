/** The examples with their steps as processes of this machine. */
import { examplesDoWhatTheySay } from './behaviours.ts';

const place = { executor: {}, environment: {}, host: '127.0.0.1', image: null };

examplesDoWhatTheySay('as processes', () => Promise.resolve(place));
