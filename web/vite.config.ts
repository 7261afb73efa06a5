import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** The page shown while the server is starting goes out with the app, as it is: it needs nothing else. */
const startup_page = {
  name: 'startup-page',
  generateBundle(this: { emitFile: (file: { type: 'asset'; fileName: string; source: string }) => void }) {
    const source = readFileSync(fileURLToPath(new URL('./startup/startup.html', import.meta.url)), 'utf8');
    this.emitFile({ type: 'asset', fileName: 'startup.html', source });
  },
};

export default defineConfig({
  plugins: [react(), startup_page],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      // What many pages share and is small comes in one file: alone each part costs more in headers than it weighs.
      output: {
        codeSplitting: {
          groups: [
            { name: 'icons', test: /@tabler\/icons-react/, minShareCount: 2 },
            { name: 'small', test: /@mantine\/hooks\/|\/react-dom\/(index|cjs\/react-dom\.production)|\/src\/lib\/(time|i18n|numbers)|\/src\/query\/words/, minShareCount: 3 },
          ],
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: process.env.BASALT_DEV_API ?? 'http://127.0.0.1:3000', changeOrigin: true },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/app/test_setup.ts'],
  },
});
