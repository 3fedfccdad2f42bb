import type { FastifyInstance } from 'fastify';
import type { ServerPorts } from './server.ts';

export async function pages(_app: FastifyInstance, _ports: ServerPorts): Promise<void> {}
