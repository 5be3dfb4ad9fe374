#include "transfer/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
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
      Write(name);
    }
  }
  ~FilesTest() override { fs::remove_all(root_); }
  FilesTest(const FilesTest&) = delete;
  FilesTest& operator=(const FilesTest&) = delete;

  void Write(const std::string& name) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "Text.";
  }

  // What is visited of a path, below it, and why it is left out.
  std::vector<std::string> Visited(const std::string& path) const {
    std::vector<std::string> found;
    const std::string given = (root_ / path).string();
    VisitFiles({given}, [&](const FoundFile& file) {
      const size_t begin = std::min(given.size() + 1, file.path.size());
      found.push_back(
          absl::StrCat(file.path.substr(begin), file.left_out.empty() ? "" : ": ", file.left_out));
      return true;
    });
    return found;
  }

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

TEST_F(FilesTest, LeavesOutLeftoversOfEditors) {
  for (const char* name :
       {"a.md", "b.md~", "c.md.bak", "#d.md#", "e.md.ORIG", "f.md.swp", "#g.md"}) {
    Write(absl::StrCat("notes/", name));
  }
  EXPECT_THAT(
      Visited("notes"),
      ElementsAre("#d.md#: a leftover of an editor", "#g.md", "a.md",
                  "b.md~: a leftover of an editor", "c.md.bak: a leftover of an editor",
                  "e.md.ORIG: a leftover of an editor", "f.md.swp: a leftover of an editor"));
  EXPECT_THAT(Visited("notes/b.md~"), ElementsAre(""));  // it was given
}

TEST_F(FilesTest, LeavesOutWhatIsNoTextOfASite) {
  for (const char* name :
       {"jekyll/_config.yml", "jekyll/_posts/a.md", "jekyll/_site/a.html", "jekyll/_layouts/b.html",
        "jekyll/_includes/c.html", "jekyll/node_modules/d/README.md", "jekyll/public/e.md",
        "jekyll/404.html", "jekyll/vendor/bundle/ruby/f.md"}) {
    Write(name);
  }
  EXPECT_THAT(Visited("jekyll"),
              ElementsAre("404.html: an error page", "_config.yml", "_includes: templates",
                          "_layouts: templates", "_posts/a.md", "_site: a site that was built",
                          "node_modules: packages of programs", "public/e.md",
                          "vendor: packages of programs"));
  for (const char* name :
       {"hugo/config.toml", "hugo/content/themes/a.md", "hugo/public/a/index.html",
        "hugo/themes/b/README.md", "hugo/archetypes/default.md"}) {
    Write(name);
  }
  EXPECT_THAT(Visited("hugo"),
              ElementsAre("archetypes: templates", "config.toml", "content/themes/a.md",
                          "public: a site that was built", "themes: templates"));
}

// Others than Hugo show all of them.
TEST_F(FilesTest, LeavesOutPartsOfABundleOfHugo) {
  for (const char* site : {"hugo", "other"}) {
    for (const char* name :
         {"content/index.md", "content/a.md", "content/post/leaf/index.en.md",
          "content/post/leaf/notes.md", "content/post/leaf/more/b.md", "content/post/z.md"}) {
      Write(absl::StrCat(site, "/", name));
    }
  }
  Write("hugo/hugo.toml");
  EXPECT_THAT(Visited("hugo/content"),
              ElementsAre("a.md", "index.md", "post/leaf/index.en.md",
                          "post/leaf/more/b.md: part of a page",
                          "post/leaf/notes.md: part of a page", "post/z.md"));
  EXPECT_THAT(Visited("other/content"),
              ElementsAre("a.md", "index.md", "post/leaf/index.en.md", "post/leaf/more/b.md",
                          "post/leaf/notes.md", "post/z.md"));
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
