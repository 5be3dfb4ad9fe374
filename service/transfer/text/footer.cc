#include "transfer/text/footer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/text.h"
#include "transfer/written_date.h"

namespace content::transfer {
namespace {

// No line of a footer is longer.
constexpr size_t kMaxFooterBytes = 300;

// In lower case, with single spaces and without a colon at the end.
std::string FooterForm(absl::string_view line) {
  std::string form = absl::AsciiStrToLower(OneLine(absl::StrReplaceAll(line, {{"\u00A0", " "}})));
  absl::RemoveExtraAsciiWhitespace(&form);
  if (absl::EndsWith(form, ":")) form.pop_back();
  return std::string(absl::StripTrailingAsciiWhitespace(form));
}

// Lines that stand nowhere but in a footer.
bool IsSureFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{
      // English
      "no comments", "post a comment", "leave a comment", "leave a reply", "add a comment",
      "newer post older post home", "newer post older post", "newer post home", "older post home",
      "newer posts older posts home", "email thisblogthis!", "blogthis!", "cancel reply",
      "links to this post", "powered by blogger", "like loading...", "loading...",
      // Portuguese
      "nenhum comentário", "postar um comentário", "enviar um comentário", "sem comentários",
      "deixe um comentário", "deixe uma resposta", "postagem mais recente postagem mais antiga",
      "tecnologia do blogger",
      // Spanish
      "no hay comentarios", "publicar un comentario", "deja un comentario", "deja una respuesta",
      "deja una respuesta cancelar la respuesta", "con la tecnología de blogger",
      // German
      "keine kommentare", "kommentar veröffentlichen", "schreibe einen kommentar",
      "hinterlasse einen kommentar", "powered by blogger.",
      // French
      "aucun commentaire", "enregistrer un commentaire", "laisser un commentaire",
      "fourni par blogger",
      // Dutch
      "geen opmerkingen", "een reactie posten", "een reactie plaatsen", "geef een reactie",
      "mogelijk gemaakt door blogger",
      // Italian
      "nessun commento", "posta un commento", "lascia un commento", "lascia una risposta",
      "powered by blogger "};
  static constexpr absl::string_view kBeginnings[] = {
      "email thisblogthis!",
      "email this blogthis!",
      "share: email this",
      "enviar por e-mailpostar no blog!",
      "enviar por correo electrónicoescribe un blog",
      "diesen post per e-mail versendenblogthis!",
      "envoyer par e-mailblogthis!",
      "dit e-mailendit bloggen!",
      "invia tramite emailpostalo sul blog",
      "subscribe to: post comments",
      "subscribe to: comments",
      "subscribe to: posts",
      "assinar: postar comentários",
      "suscribirse a: enviar comentarios",
      "abonnieren kommentare zum post",
      "abonnieren: kommentare zum post",
      "inscription à : publier les commentaires",
      "reacties posten (atom)",
      "iscriviti a: commenti sul post"};
  return kLines.contains(form) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [form](absl::string_view begin) { return absl::StartsWith(form, begin); });
}

// "►  July (2)".
bool IsMonthOfArchive(absl::string_view form) {
  const bool has_arrow = absl::StartsWith(form, "►") || absl::StartsWith(form, "▼");
  if (!has_arrow || !absl::ConsumeSuffix(&form, ")")) return false;
  const size_t digits = form.size() - (form.find_last_not_of("0123456789") + 1);
  form.remove_suffix(digits);
  return digits > 0 && absl::EndsWith(form, " (");
}

// Lines that may also be a heading or the beginning of a text.
bool MayBeFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{"share",
                                                               "share this",
                                                               "like this",
                                                               "related",
                                                               "related posts",
                                                               "home",
                                                               "newer post",
                                                               "older post",
                                                               "newer posts",
                                                               "older posts",
                                                               "blog archive",
                                                               "about me",
                                                               "email this",
                                                               "share to x",
                                                               "share to twitter",
                                                               "share to facebook",
                                                               "share to pinterest",
                                                               "filed under",
                                                               "comments",
                                                               "reactions",
                                                               "previous post",
                                                               "next post",
                                                               "compartilhe isso",
                                                               "curtir isso",
                                                               "página inicial",
                                                               "postagem mais recente",
                                                               "postagem mais antiga",
                                                               "arquivo do blog",
                                                               "quem sou eu",
                                                               "relacionado",
                                                               "comparte esto",
                                                               "me gusta esto",
                                                               "página principal",
                                                               "entrada más reciente",
                                                               "entrada antigua",
                                                               "archivo del blog",
                                                               "teilen mit",
                                                               "startseite",
                                                               "neuerer post",
                                                               "älterer post",
                                                               "blog-archiv",
                                                               "gefällt mir",
                                                               "partager",
                                                               "accueil",
                                                               "article plus récent",
                                                               "article plus ancien",
                                                               "archives du blog",
                                                               "j’aime ça",
                                                               "delen",
                                                               "homepage",
                                                               "nieuwere post",
                                                               "oudere post",
                                                               "blogarchief",
                                                               "condividi",
                                                               "home page",
                                                               "post più recente",
                                                               "post più vecchio",
                                                               "archivio blog"};
  static constexpr absl::string_view kBeginnings[] = {
      "labels:",    "marcadores:", "etiquetas:", "libellés",
      "etichette:", "posted in ",  "tagged:",    "subscribe to:"};
  return IsMonthOfArchive(form) || kLines.contains(form) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [form](absl::string_view begin) { return absl::StartsWith(form, begin); });
}

// "3 comments", "1,234 comments".
bool IsCommentCount(absl::string_view form) {
  static constexpr absl::string_view kNouns[] = {
      "comment",     "comments",    "comentário", "comentários", "comentario",
      "comentarios", "kommentar",   "kommentare", "commentaire", "commentaires",
      "opmerking",   "opmerkingen", "commento",   "commenti"};
  const size_t space = form.find(' ');
  if (space == 0 || space == absl::string_view::npos) return false;
  if (form.substr(0, space).find_first_not_of("0123456789,.") != absl::string_view::npos) {
    return false;
  }
  const bool is_whole = form.substr(0, space).find('.') == absl::string_view::npos;
  return is_whole && std::find(std::begin(kNouns), std::end(kNouns), form.substr(space + 1)) !=
                         std::end(kNouns);
}

// Removes a time of day from the beginning of `text`: "10:00", "10:00 AM".
bool ConsumeTimeOfDay(absl::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789:."), text.size());
  absl::Time time;
  std::string problem;
  const std::string digits = absl::StrReplaceAll(text.substr(0, end), {{".", ":"}});
  if (!absl::ParseTime("%H:%M", digits, &time, &problem)) return false;
  text.remove_prefix(end);
  text = absl::StripLeadingAsciiWhitespace(text);
  for (const absl::string_view half : {"am", "pm", "a.m.", "p.m.", "uhr"}) {
    if (absl::ConsumePrefix(&text, half)) break;
  }
  text = absl::StripLeadingAsciiWhitespace(text);
  return true;
}

bool IsFooterLine(absl::string_view form);

// How Blogger says who posted an article, and when.
struct PostedBy {
  absl::string_view begin;
  absl::string_view at;
};
constexpr std::array kPostedBy = {
    PostedBy{"posted by ", " at "},       PostedBy{"postado por ", " às "},
    PostedBy{"publicada por ", " à(s) "}, PostedBy{"publicado por ", " en "},
    PostedBy{"eingestellt von ", " um "}, PostedBy{"publié par ", " à "},
    PostedBy{"gepost door ", " op "},     PostedBy{"pubblicato da ", " alle "},
    PostedBy{"posted by ", " on "},
};

// Returns the name in "Posted by Ada at 10:00 AM" as it stands in `line`, of which nothing else may
// follow but a footer.
std::optional<std::string> NameInPostedBy(absl::string_view line) {
  const std::string text = OneLine(absl::StrReplaceAll(line, {{"\u00A0", " "}}));
  const std::string lower = absl::AsciiStrToLower(text);
  for (const PostedBy& words : kPostedBy) {
    if (!absl::StartsWith(lower, words.begin)) continue;
    const size_t at = absl::string_view(lower).rfind(words.at);
    if (at == absl::string_view::npos || at < words.begin.size()) continue;
    absl::string_view rest = absl::string_view(lower).substr(at + words.at.size());
    if (!ConsumeTimeOfDay(rest)) continue;
    absl::ConsumeSuffix(&rest, ":");
    if (!rest.empty() && !IsFooterLine(rest)) continue;
    return text.substr(words.begin.size(), at - words.begin.size());
  }
  return std::nullopt;
}

bool IsFooterLine(absl::string_view form) { return IsSureFooter(form) || IsCommentCount(form); }

// "Ann said...", above a comment.
bool IsHeadOfComment(absl::string_view form) {
  for (absl::string_view dots : {"...", "…"}) {
    absl::string_view rest = form;
    if (!absl::ConsumeSuffix(&rest, dots)) continue;
    for (const absl::string_view verb :
         {" said", " disse", " dijo", " hat gesagt", " a dit", " zei", " ha detto"}) {
      if (absl::EndsWith(rest, verb) && rest.size() < 80) return true;
    }
  }
  return false;
}

// The lines of a page that are not blank, in the form in which footers are compared.
class FooterFinder {
 public:
  explicit FooterFinder(const std::vector<std::string>& lines) : lines_(lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      std::string form = lines[i].size() > kMaxFooterBytes ? "-" : FooterForm(lines[i]);
      if (!form.empty()) entries_.push_back({i, std::move(form)});
    }
  }

  TextFooter Find() {
    FindLast();
    TextFooter footer{.begin = lines_.size(), .author = "", .tags = {}};
    const size_t first = FirstEntry();
    if (first == entries_.size()) return footer;
    footer.begin = entries_[first].line;
    for (size_t i = first; i < entries_.size(); ++i) {
      if (footer.author.empty()) footer.author = AuthorAt(i).value_or("");
      if (footer.tags.empty()) footer.tags = TagsAt(i);
    }
    return footer;
  }

 private:
  struct Entry {
    size_t line;
    std::string form;
  };

  size_t FirstEntry() const {
    size_t i = 0;
    while (i < entries_.size() && !BeginsFooter(i)) ++i;
    return i;
  }

  // Finds the last entries of each kind.
  void FindLast() {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (IsFooterLine(entries_[i].form)) {
        last_sure_ = i;
      } else if (IsHeadOfComment(entries_[i].form)) {
        last_comment_ = i;
      } else if (IsProse(i)) {
        last_prose_ = i;
      }
    }
  }

  // Lines of a footer also stand in texts. Where prose follows that is no comment, one of them is
  // not enough: what a reader loses here is gone.
  bool BeginsFooter(size_t i) const {
    const std::string& form = entries_[i].form;
    const bool ends_prose = last_prose_ <= i;
    if (IsHeadOfComment(form)) return IsDatedComment(i);
    if (IsCommentCount(form)) return ends_prose || last_comment_ > i || last_sure_ > i;
    if (IsSure(i)) return ends_prose || IsBesideFooter(i);
    if (!MayBeFooter(form)) return false;
    return ends_prose ? IsBesideFooter(i) : IsBesideSureFooter(i);
  }

  bool IsSure(size_t i) const { return IsFooterLine(entries_[i].form) || AuthorAt(i).has_value(); }

  // Returns whether a line is of running text: long, or a sentence.
  bool IsProse(size_t i) const {
    constexpr size_t kMaxCharactersOfLabel = 60;
    constexpr int kMinWordsOfSentence = 3;
    if (IsSure(i) || MayBeFooter(entries_[i].form)) return false;
    const absl::string_view line = TrimWhiteSpace(lines_[entries_[i].line]);
    if (CountCharacters(line) > kMaxCharactersOfLabel) return true;
    static constexpr absl::string_view kStops[] = {".", "!", "?", "…", "”", "\"", "。", "！", "？"};
    return std::any_of(std::begin(kStops), std::end(kStops),
                       [line](absl::string_view stop) { return absl::EndsWith(line, stop); }) &&
           CountWords(line) >= kMinWordsOfSentence;
  }

  // Returns whether a date follows "Ann said..." before somebody else said something, and a line of
  // a footer at the end. In an interview, none does.
  bool IsDatedComment(size_t i) const {
    for (size_t next = i + 1; next < last_sure_; ++next) {
      if (IsHeadOfComment(entries_[next].form)) return false;
      if (ParseWrittenDate(lines_[entries_[next].line])) return true;
    }
    return false;
  }

  // Returns whether one of the next lines is of a footer, or the last line names labels.
  bool IsBesideFooter(size_t i) const {
    if (i + 1 == entries_.size()) return !TagsAt(i).empty();
    return IsAmongNext(i, [this](size_t next) {
      const std::string& form = entries_[next].form;
      return IsSure(next) || MayBeFooter(form) || IsHeadOfComment(form);
    });
  }

  bool IsBesideSureFooter(size_t i) const {
    return IsAmongNext(i, [this](size_t next) { return IsSure(next); });
  }

  bool IsAmongNext(size_t i, absl::FunctionRef<bool(size_t)> test) const {
    for (size_t next = i + 1; next < std::min(i + 4, entries_.size()); ++next) {
      if (test(next)) return true;
    }
    return false;
  }

  // The words may stand on one line each.
  std::optional<std::string> AuthorAt(size_t i) const {
    if (lines_[entries_[i].line].size() > kMaxFooterBytes) return std::nullopt;
    if (std::optional<std::string> name = NameInPostedBy(lines_[entries_[i].line])) return name;
    const std::string begin = absl::StrCat(entries_[i].form, " ");
    const bool is_begin = std::any_of(kPostedBy.begin(), kPostedBy.end(),
                                      [&](const PostedBy& words) { return words.begin == begin; });
    if (!is_begin) return std::nullopt;
    std::string joined = lines_[entries_[i].line];
    for (size_t next = i + 1; next < std::min(i + 4, entries_.size()); ++next) {
      absl::StrAppend(&joined, " ", lines_[entries_[next].line]);
    }
    return NameInPostedBy(joined);
  }

  std::vector<std::string> TagsAt(size_t i) const {
    for (const absl::string_view begin :
         {"labels:", "marcadores:", "etiquetas:", "libellés :", "libellés:", "etichette:"}) {
      if (!absl::StartsWith(entries_[i].form, begin)) continue;
      const std::string line =
          OneLine(absl::StrReplaceAll(lines_[entries_[i].line], {{"\u00A0", " "}}));
      std::vector<std::string> tags;
      for (const absl::string_view tag :
           absl::StrSplit(line.substr(begin.size()), ',', absl::SkipWhitespace())) {
        const std::string name(absl::StripAsciiWhitespace(tag));
        if (std::find(tags.begin(), tags.end(), name) == tags.end()) tags.push_back(name);
      }
      return tags;
    }
    return {};
  }

  const std::vector<std::string>& lines_;
  std::vector<Entry> entries_;
  // Of entries; 0 if there is none, which is as good as the first.
  size_t last_sure_ = 0;
  size_t last_comment_ = 0;
  size_t last_prose_ = 0;
};

}  // namespace

TextFooter FindFooter(const std::vector<std::string>& lines) { return FooterFinder(lines).Find(); }

}  // namespace content::transfer
