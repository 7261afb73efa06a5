#include "base/version.h"
#include "commands/command_line.h"
#include "migrations/all.h"

int main(int argc, char** argv) {
  basalt::set_version(BASALT_VERSION);
  return basalt::commands::run_command_line(argc, argv, basalt::migrations::all());
}
