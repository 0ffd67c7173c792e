// Loaded into wrangler's process: ends it when whoever started it is gone, so
// that no server outlives a script that was killed.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
