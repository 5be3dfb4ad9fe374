#include "import_files.h"

#include <fstream>
#include <ios>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "base/await.h"
#include "content/body.h"
#include "import/importer.h"

namespace content {
namespace {

// One byte more than the importer takes is enough for it to refuse the file.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(importer::kMaxFileBytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.is_open() || file.bad()) return absl::NotFoundError("cannot be read");
  content.resize(static_cast<size_t>(file.gcount()));
  return content;
}

absl::StatusOr<importer::ParsedArticle> ParseFile(const Config& config, const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  return importer::Parse(*content, config.format.value_or(importer::FormatOf(path)),
                         config.overrides);
}

// As with PublishArticle, an article is replaced only if its id was given.
absl::StatusOr<PublishedArticle> Publish(Publishing& publishing, importer::ParsedArticle parsed) {
  absl::StatusOr<PublishedArticle> published = Await<PublishedArticle>([&](auto done) {
    publishing.PublishArticle({}, std::move(parsed.article), {.may_replace = parsed.id_given},
                              std::move(done));
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

void Print(const std::string& file, const PublishedArticle& published) {
  const v1::Article& article = published.article;
  std::cout << absl::StrFormat("%-9s %s  %d sections, %d paragraphs, %d words  from %s\n",
                               NameOf(published.outcome), article.name(), article.sections_size(),
                               CountParagraphs(article.body()), article.word_count(), file);
}

absl::Status ImportFile(const Config& config, const std::string& file, Publishing* publishing) {
  absl::StatusOr<importer::ParsedArticle> parsed = ParseFile(config, file);
  if (!parsed.ok()) return parsed.status();
  if (publishing == nullptr) {
    Print(file, {.article = std::move(parsed->article)});
    return absl::OkStatus();
  }
  const absl::StatusOr<PublishedArticle> published = Publish(*publishing, *std::move(parsed));
  if (!published.ok()) return published.status();
  Print(file, *published);
  return absl::OkStatus();
}

}  // namespace

int ImportFiles(const Config& config, Publishing* publishing) {
  int exit_status = 0;
  for (const std::string& file : config.files) {
    if (absl::Status status = ImportFile(config, file, publishing); !status.ok()) {
      std::cerr << "contentd: " << file << ": " << status.message() << "\n";
      exit_status = 1;
    }
  }
  return exit_status;
}

}  // namespace content
