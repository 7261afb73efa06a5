// Whether data lies where it would be lost: with the container it is in, or on a disk behind a network. People lost everything that way.
#pragma once
#include <filesystem>
#include <string>

namespace basalt::startup {

// Where to look; tests have their own.
struct ContainerMarks {
  std::filesystem::path docker = "/.dockerenv", podman = "/run/.containerenv", cgroup = "/proc/1/cgroup", mounts = "/proc/self/mountinfo";
};

bool in_container(const ContainerMarks& = {});
// A sentence when this process is in a container and `data_dir` (there or not yet) is in the container's own layer or in memory,
// not on a volume; else empty. Never throws: what cannot be read says nothing.
std::string container_warning(const std::filesystem::path& data_dir, const ContainerMarks& = {});

// A sentence when `data_dir` is on a file system of another machine, whose locks SQLite cannot rely on; else empty. Never throws.
std::string network_disk_warning(const std::filesystem::path& data_dir, const ContainerMarks& = {});

}  // namespace basalt::startup
