import { say } from '../query/words';
import type { Failure } from './use_run';

/** What happened, in a plain sentence; the database's own words go below it. */
export function failureTitle(failure: Failure): string {
  switch (failure.kind) {
    case 'timed-out': return say('The database took too long, so the question was stopped.');
    case 'missing-required-permissions': return say('You may not see this data.');
    case 'missing-required-parameter': return say('A value is missing.');
    case 'invalid-parameter': return say('A value does not fit its filter.');
    case 'invalid-query': return say('This question does not make sense to the database.');
    case 'db': return say('The database refused the question.');
    case 'bad-configuration': case 'driver': return say('The database could not be asked.');
    case 'offline': return say('The server cannot be reached.');
    default: return say('The question could not be answered.');
  }
}
/** What one can do about it. */
export function failureHelp(failure: Failure): string | null {
  switch (failure.kind) {
    case 'timed-out': return say('Fewer rows help: add a filter, or try again when the database is less busy.');
    case 'missing-required-permissions': return say('An administrator can give you access to this database or collection.');
    case 'bad-configuration': case 'driver': return say('An administrator should look at the connection of the database.');
    case 'offline': return say('Check your network, then try again.');
    default: return null;
  }
}
export function countRows(count: number): string {
  return count === 1 ? say('row') : say('rows');
}
export function duration(ms: number): string {
  return ms < 1000 ? say('{{n}} ms', { n: Math.round(ms) }) : ms < 60_000 ? say('{{n}} s', { n: (ms / 1000).toFixed(1) }) : say('{{n}} min', { n: (ms / 60_000).toFixed(1) });
}
