#include "import_files.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/await.h"
#include "base/call.h"
#include "content/body.h"
#include "import/importer.h"

namespace content {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// One byte more than the importer takes is enough for it to refuse the file.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (file != nullptr) {
    std::string content(importer::kMaxFileBytes + 1, '\0');
    content.resize(std::fread(content.data(), 1, content.size(), file.get()));
    if (std::ferror(file.get()) == 0) return content;
  }
  const std::string reason = std::generic_category().message(errno);
  return absl::NotFoundError(absl::StrCat("cannot be read: ", reason));
}

absl::StatusOr<importer::ParsedArticle> ParseFile(const Config& config, const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  return importer::Parse(*content, config.format.value_or(importer::FormatOf(path)),
                         config.overrides);
}

// The user who runs this process, for the audit trail.
std::shared_ptr<const Caller> CurrentUser() {
  passwd entry = {};
  passwd* user = nullptr;
  std::array<char, 16384> strings;
  getpwuid_r(getuid(), &entry, strings.data(), strings.size(), &user);
  return std::make_shared<Caller>(Caller{.identity = user != nullptr
                                                         ? absl::StrCat("os:", user->pw_name)
                                                         : absl::StrCat("os:", getuid())});
}

// As with PublishArticle, an article is replaced only if its id was given.
absl::StatusOr<PublishedArticle> Publish(Publishing& publishing,
                                         std::shared_ptr<const Caller> caller,
                                         importer::ParsedArticle parsed) {
  absl::StatusOr<PublishedArticle> published = Await<PublishedArticle>([&](auto done) {
    publishing.PublishArticle({.caller = std::move(caller)}, std::move(parsed.article),
                              {.may_replace = parsed.id_given, .imported = true}, std::move(done));
  });
  if (published.status().code() != absl::StatusCode::kAlreadyExists) return published;
  return absl::AlreadyExistsError(
      "an article with this title and other content exists: give --id to replace it, or another "
      "id");
}

const char* NameOf(v1::PublishOutcome outcome) {
  switch (outcome) {
    case v1::PUBLISH_OUTCOME_CREATED:
      return "created";
    case v1::PUBLISH_OUTCOME_REPLACED:
      return "replaced";
    case v1::PUBLISH_OUTCOME_UNCHANGED:
      return "unchanged";
    default:
      return "valid";
  }
}

// "1 word", "2 words".
std::string Count(int count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

void Print(const std::string& file, const PublishedArticle& published,
           const std::vector<std::string>& ignored_keys) {
  const v1::Article& article = published.article;
  const std::string ignored =
      ignored_keys.empty() ? ""
                           : absl::StrCat(" (ignored: ", absl::StrJoin(ignored_keys, ", "), ")");
  std::cout << absl::StrFormat("%-9s %s  %s, %s, %s  from %s%s\n", NameOf(published.outcome),
                               article.name(), Count(article.sections_size(), "section"),
                               Count(CountParagraphs(article.body()), "paragraph"),
                               Count(article.word_count(), "word"), file, ignored);
}

absl::Status ImportFile(const Config& config, const std::string& file,
                        const std::shared_ptr<const Caller>& caller, Publishing* publishing) {
  absl::StatusOr<importer::ParsedArticle> parsed = ParseFile(config, file);
  if (!parsed.ok()) return parsed.status();
  const std::vector<std::string> ignored_keys = parsed->ignored_keys;
  if (publishing == nullptr) {
    Print(file, {.article = std::move(parsed->article)}, ignored_keys);
    return absl::OkStatus();
  }
  const absl::StatusOr<PublishedArticle> published =
      Publish(*publishing, caller, *std::move(parsed));
  if (!published.ok()) return published.status();
  Print(file, *published, ignored_keys);
  return absl::OkStatus();
}

// A file may have several faults, one on each line of the message.
void PrintFaults(const std::string& file, const absl::Status& status) {
  for (const absl::string_view fault : absl::StrSplit(status.message(), '\n')) {
    std::cerr << "contentd: " << file << ": " << fault << "\n";
  }
}

}  // namespace

int ImportFiles(const Config& config, Publishing* publishing) {
  const std::shared_ptr<const Caller> caller = CurrentUser();
  int exit_status = 0;
  for (const std::string& file : config.files) {
    if (absl::Status status = ImportFile(config, file, caller, publishing); !status.ok()) {
      PrintFaults(file, status);
      exit_status = 1;
    }
  }
  return exit_status;
}

}  // namespace content
