// Preloaded into a server that shall be bad: once the launcher observes it (EVIL_STATE says so) it does what EVIL says.
//   eat    takes 64 MB of memory ten times a second, up to 4 GB
//   stop   stops itself, as a hang does
//   abort  ends with a core
// Build: gcc -shared -fPIC -O1 -o libevil.so evil.c -lpthread
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int observed(const char* path) {
  static char text[1 << 20];
  FILE* file = fopen(path, "re");
  if (!file) return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = 0;
  return strstr(text, "\"phase\":\"observing\"") != NULL;
}

static void* work(void* nothing) {
  const char *evil = getenv("EVIL"), *state = getenv("EVIL_STATE");
  if (!evil || !state) return nothing;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  while (!observed(state)) usleep(100000);
  usleep(500000);
  if (!strcmp(evil, "stop")) kill(getpid(), SIGSTOP);
  if (!strcmp(evil, "abort")) abort();
  for (int i = 0; !strcmp(evil, "eat") && i < 64; i++) {
    size_t size = 64 << 20;
    char* piece = malloc(size);
    if (piece) memset(piece, 1, size);
    usleep(100000);
  }
  return NULL;
}

__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  if (getenv("EVIL") && !pthread_create(&thread, NULL, work, NULL)) pthread_detach(thread);
}
