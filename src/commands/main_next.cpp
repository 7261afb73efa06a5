// basalt-next: a later Basalt for the upgrade tests, never shipped. The same sources, three more migrations.
#include "base/version.h"
#include "commands/command_line.h"
#include "migrations/next/all_next.h"

int main(int argc, char** argv) {
  basalt::set_version("0.2.0");
  return basalt::commands::run_command_line(argc, argv, basalt::migrations::all_next());
}
