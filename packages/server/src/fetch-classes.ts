import { CloseEvent, ErrorEvent, Headers, Request, Response } from 'undici'

/**
 * Hono's server extends these classes when it is imported, and Node's are in a separate undici: a second one in the process, of several
 * megabytes. Only the command imports this file, before anything that uses them.
 */
Object.assign(globalThis, { CloseEvent, ErrorEvent, Headers, Request, Response })
