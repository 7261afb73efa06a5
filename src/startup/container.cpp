#include "startup/container.h"

#include <fstream>
#include <sstream>

namespace basalt::startup {
namespace {

// "\040" for a blank, as mountinfo writes it.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool octal = text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3' && text[i + 2] >= '0' && text[i + 2] <= '7' && text[i + 3] >= '0' && text[i + 3] <= '7';
    if (!octal) { out += text[i]; continue; }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

struct Mount { std::string place, type; };

// The mount that holds a path: the longest place that begins it, the later one of two at the same place.
Mount mount_of(const std::filesystem::path& path, const std::filesystem::path& mounts) {
  Mount best;
  std::ifstream in(mounts);
  for (std::string line; std::getline(in, line);) {
    // 36 35 98:0 /root /place options optional… - type source options
    std::istringstream words(line);
    std::string word, place, type;
    for (int i = 0; i < 5; ++i) words >> word;
    place = unescaped(word);
    while (words >> word && word != "-") {}
    words >> type;
    auto wanted = path.string();
    bool holds = place == "/" || wanted == place || wanted.starts_with(place + "/");
    if (holds && !type.empty() && place.size() >= best.place.size()) best = {place, type};
  }
  return best;
}

}  // namespace

bool in_container(const ContainerMarks& marks) {
  std::error_code error;
  if (std::filesystem::exists(marks.docker, error) || std::filesystem::exists(marks.podman, error)) return true;
  std::ifstream in(marks.cgroup);
  for (std::string line; std::getline(in, line);)
    for (auto* name : {"docker", "kubepods", "containerd", "libpod", "lxc"})
      if (line.find(name) != std::string::npos) return true;
  return false;
}

std::string container_warning(const std::filesystem::path& data_dir, const ContainerMarks& marks) {
  if (!in_container(marks)) return "";
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(data_dir, error), error);
  auto mount = mount_of(path, marks.mounts);
  bool layer = mount.place == "/" && (mount.type == "overlay" || mount.type == "aufs" || mount.type == "fuse.fuse-overlayfs");
  bool memory = mount.type == "tmpfs" || mount.type == "ramfs";
  if (!layer && !memory) return "";
  return "The data directory " + data_dir.string() + (memory ? " is in memory" : " is inside the container") + ": what is stored there is lost with the container. Put a volume there (docker run -v basalt:" + path.string() + " …).";
}

std::string network_disk_warning(const std::filesystem::path& data_dir, const ContainerMarks& marks) {
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(data_dir, error), error);
  auto type = mount_of(path, marks.mounts).type;
  for (auto* network : {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.gcsfuse"})
    if (type == network)
      return "The data directory " + data_dir.string() + " is on a network file system (" + type + "), where the embedded application database can lose data: its locks do not hold there. Use a disk of this machine, or PostgreSQL.";
  return "";
}

}  // namespace basalt::startup
