// Checks which rooms include the headers of which libraries (ARCHITECTURE.md, "The rooms"). CMake
// separates our own headers; the libraries' are all installed in one place, so they are checked
// here.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Wall {
  const char* include;            // pattern of an #include of the library
  std::set<std::string> allowed;  // the rooms that may use it
};

const std::vector<Wall>& Walls() {
  static const std::vector<Wall> walls = {
      {R"((pqxx/|libpq))", {"postgres"}},
      {R"(simdjson)", {"store"}},
      {R"(content/v1/)",
       {"api", "cache", "content", "server", "service", "store", "transfer", "watch"}},
      {R"((grpc/|grpcpp/|.*\.grpc\.pb\.h))", {"api", "server"}},
      {R"(cmark)", {"content", "transfer"}},
      {R"(unicode/)", {"content", "transfer"}},
      {R"((jose/|jansson))", {"access"}},
      {R"(openssl/)", {"access", "base", "content", "tls"}},
      {R"(uriparser/)", {"content"}},
      {R"(yaml-cpp/)", {"access", "transfer"}},
      {R"(toml)", {"transfer"}},
      {R"(gumbo)", {"transfer"}},
      {R"(libxml/)", {"transfer"}},
      {R"(sqlite3)", {"transfer"}},
      {R"(microhttpd)", {"http"}},
      {R"(nlohmann/)", {"telemetry", "transfer"}},
      {R"(opentelemetry/)", {"telemetry"}},
      {R"(prometheus/)", {"http"}},
      {R"(CLI/)", {"service"}},
  };
  return walls;
}

TEST(Walls, LibrariesAreUsedOnlyInTheirRooms) {
  const fs::path service = fs::path(CONTENT_SOURCE_DIR) / "service";
  const std::regex include(R"re(^\s*#include\s*[<"]([^>"]+)[>"])re");
  int includes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(service)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
    // The first folder below service; files of service itself are the room "service".
    const fs::path relative = fs::relative(entry.path(), service.parent_path());
    const bool is_top = std::distance(relative.begin(), relative.end()) == 2;
    const std::string room = (is_top ? relative.begin() : std::next(relative.begin()))->string();
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (!std::regex_search(line, match, include)) continue;
      ++includes;
      const std::string header = match[1];
      for (const Wall& wall : Walls()) {
        if (!std::regex_search(header, std::regex(std::string("^") + wall.include))) continue;
        EXPECT_TRUE(wall.allowed.contains(room)) << entry.path() << " includes " << header;
      }
    }
  }
  EXPECT_GT(includes, 100);
}

}  // namespace
