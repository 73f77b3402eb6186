export * from './fault-server.ts'
