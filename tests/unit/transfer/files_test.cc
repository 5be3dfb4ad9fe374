#include "transfer/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() : root_(fs::path(::testing::TempDir()) / absl::StrCat("content-files-", getpid())) {
    for (const char* name : {"blog/2025/06/12/page.md", "blog/2025/06/12/story/index.md"}) {
      fs::create_directories((root_ / name).parent_path());
      std::ofstream(root_ / name) << "Text.";
    }
  }
  ~FilesTest() override { fs::remove_all(root_); }
  FilesTest(const FilesTest&) = delete;
  FilesTest& operator=(const FilesTest&) = delete;

  std::vector<std::string> TellingPaths(const std::string& path) const {
    std::vector<std::string> found;
    VisitFiles({(root_ / path).string()}, [&found](const FoundFile& file) {
      found.push_back(file.telling_path);
      return true;
    });
    return found;
  }

  const fs::path root_;
};

TEST_F(FilesTest, AFileIsToldByItsFolders) {
  EXPECT_THAT(TellingPaths("blog"),
              ElementsAre("blog/2025/06/12/page.md", "blog/2025/06/12/story/index.md"));
  EXPECT_THAT(TellingPaths("blog//"),
              ElementsAre("blog/2025/06/12/page.md", "blog/2025/06/12/story/index.md"));
  EXPECT_THAT(TellingPaths("blog/2025/06/12/story"), ElementsAre("story/index.md"));
}

// A part of a date says nothing without the others.
TEST_F(FilesTest, TheFoldersOfADateStayTogether) {
  for (const char* path : {"blog/2025", "blog/2025/06", "blog/2025/06/../06/12/"}) {
    EXPECT_THAT(TellingPaths(path), ElementsAre("2025/06/12/page.md", "2025/06/12/story/index.md"))
        << path;
  }
  EXPECT_THAT(TellingPaths("blog/2025/06/12/page.md"), ElementsAre("2025/06/12/page.md"));
  EXPECT_THAT(TellingPaths("blog/2025/06/12/story/index.md"),
              ElementsAre("2025/06/12/story/index.md"));
}

TEST_F(FilesTest, KnowsAFileByAnyName) {
  const fs::path page = root_ / "blog/2025/06/12/page.md";
  fs::create_symlink(page, root_ / "link");
  fs::create_hard_link(page, root_ / "other");
  EXPECT_EQ(IdOfFile(root_ / "link"), IdOfFile(page));
  EXPECT_EQ(IdOfFile(root_ / "other"), IdOfFile(page));
  EXPECT_NE(IdOfFile(root_ / "blog"), IdOfFile(page));
  EXPECT_EQ(IdOfFile(root_ / "absent"), std::nullopt);
}

}  // namespace
}  // namespace content::transfer
