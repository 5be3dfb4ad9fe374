#include "transfer/text/footer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

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

// In lower case where it is ASCII, with single spaces and without a colon at the end.
std::string FooterForm(absl::string_view line) {
  std::string form = absl::AsciiStrToLower(OneLine(absl::StrReplaceAll(line, {{"\u00A0", " "}})));
  absl::RemoveExtraAsciiWhitespace(&form);
  absl::string_view kept = form;
  if (!absl::ConsumeSuffix(&kept, ":")) absl::ConsumeSuffix(&kept, "：");
  return std::string(absl::StripTrailingAsciiWhitespace(kept));
}

bool BeginsWithAny(absl::string_view text, const auto& beginnings) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [text](absl::string_view begin) { return absl::StartsWith(text, begin); });
}

bool EndsWithAny(absl::string_view text, const auto& endings) {
  return std::any_of(std::begin(endings), std::end(endings),
                     [text](absl::string_view end) { return absl::EndsWith(text, end); });
}

bool HasStop(absl::string_view text) {
  static constexpr absl::string_view kStops[] = {".", "!", "?", "…", "”", "\"", "。", "！", "？"};
  return EndsWithAny(text, kStops);
}

bool IsSentence(absl::string_view text) {
  constexpr int kMinWordsOfSentence = 3;
  return HasStop(text) && CountWords(text) >= kMinWordsOfSentence;
}

// How WordPress says where and when an article was posted.
constexpr absl::string_view kEntryWasPosted[] = {"this entry was posted ",
                                                 "este post foi publicado em ",
                                                 "esta entrada foi publicada em ",
                                                 "esta entrada fue publicada en ",
                                                 "dieser beitrag wurde unter ",
                                                 "dieser eintrag wurde veröffentlicht ",
                                                 "ce contenu a été publié dans ",
                                                 "cette entrée a été publiée dans ",
                                                 "dit bericht is geplaatst in ",
                                                 "dit bericht werd geplaatst in ",
                                                 "questa voce è stata pubblicata in ",
                                                 "questo articolo è stato pubblicato in ",
                                                 "Запись опубликована в рубрике ",
                                                 "ten wpis został opublikowany w kategorii "};

// Returns whether `form` is such a line, and says what no text says: "Bookmark the permalink."
bool HasPermalink(absl::string_view form) {
  static constexpr absl::string_view kSigns[] = {
      "permalink", "link permanente",   "enlace permanente",       "permalien",
      "rss 2.0",   "постоянную ссылку", "bezpośredniego odnośnika"};
  return BeginsWithAny(form, kEntryWasPosted) &&
         std::any_of(std::begin(kSigns), std::end(kSigns),
                     [form](absl::string_view sign) { return absl::StrContains(form, sign); });
}

// "View all posts by Ada Byron".
bool IsLinkToPosts(absl::string_view form) {
  static constexpr absl::string_view kBeginnings[] = {"view all posts by ",
                                                      "ver todos os posts de ",
                                                      "ver todos os artigos de ",
                                                      "ver todas las entradas de ",
                                                      "voir tous les articles par ",
                                                      "voir toutes les publications de ",
                                                      "vedi tutti gli articoli di ",
                                                      "mostra tutti gli articoli di ",
                                                      "Просмотреть все записи автора ",
                                                      "Посмотреть все записи автора ",
                                                      "zobacz wszystkie wpisy "};
  return BeginsWithAny(form, kBeginnings) && !IsSentence(form);
}

// What WordPress says in its form for comments.
constexpr absl::string_view kCommentForm[] = {
    "your email address will not be published",
    "required fields are marked",
    "save my name, email, and website in this browser for the next time i comment",
    "notify me of follow-up comments by email",
    "notify me of new posts by email",
    "this site uses akismet to reduce spam. learn how your comment data is processed",
    "enter your comment here",
    "fill in your details below or click an icon to log in",
    "you must be logged in to post a comment",
    "o seu endereço de e-mail não será publicado",
    "o seu endereço de email não será publicado",
    "campos obrigatórios são marcados",
    "tu dirección de correo electrónico no será publicada",
    "los campos obligatorios están marcados",
    "deine e-mail-adresse wird nicht veröffentlicht",
    "erforderliche felder sind mit",
    "votre adresse e-mail ne sera pas publiée",
    "votre adresse de messagerie ne sera pas publiée",
    "les champs obligatoires sont indiqués",
    "je e-mailadres wordt niet gepubliceerd",
    "je e-mailadres zal niet getoond worden",
    "vereiste velden zijn gemarkeerd",
    "il tuo indirizzo email non sarà pubblicato",
    "i campi obbligatori sono contrassegnati",
    "Ваш адрес email не будет опубликован",
    "Обязательные поля помечены",
    "twój adres e-mail nie zostanie opublikowany",
    "twój adres email nie zostanie opublikowany",
    "wymagane pola są oznaczone",
    "メールアドレスが公開されることはありません",
    "您的邮箱地址不会被公开",
    "您的电子邮箱地址不会被公开",
    "發佈留言必須填寫的電子郵件地址不會公開",
    "이메일 주소는 공개되지 않습니다"};

// Returns whether `form` is a line of that form and nothing else.
bool IsOfCommentForm(absl::string_view form) {
  while (absl::ConsumeSuffix(&form, ".") || absl::ConsumeSuffix(&form, "。")) continue;
  return std::find(std::begin(kCommentForm), std::end(kCommentForm), form) !=
         std::end(kCommentForm);
}

// "Your email address will not be published. Required fields are marked *".
bool HasMarkOfRequiredFields(absl::string_view form) {
  return BeginsWithAny(form, kCommentForm) &&
         (absl::StrContains(form, "*") || absl::StrContains(form, "※"));
}

// Lines that stand nowhere but in a footer.
bool IsSureFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{
      // English
      "no comments", "post a comment", "leave a comment", "leave a reply", "add a comment",
      "newer post older post home", "newer post older post", "newer post home", "older post home",
      "newer posts older posts home", "email thisblogthis!", "blogthis!", "cancel reply",
      "links to this post", "powered by blogger", "like loading...", "bookmark the permalink",
      "bookmark the permalink.", "comments are closed", "comments are closed.",
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
      "powered by blogger ",
      // Russian
      "Комментариев нет", "Нет комментариев", "Отправить комментарий", "Добавить комментарий",
      "Технологии blogger",
      // Polish
      "brak komentarzy", "prześlij komentarz", "dodaj komentarz",
      "obsługiwane przez usługę blogger",
      // Japanese
      "コメントを投稿", "コメントを残す", "コメントはありません",
      // Chinese
      "没有评论", "发表评论", "发表回复", "沒有留言", "張貼留言", "發佈留言", "發表迴響",
      // Korean
      "댓글 없음", "댓글 쓰기", "댓글 남기기", "답글 남기기"};
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
      "iscriviti a: commenti sul post",
      "Отправить по электронной почтеНаписать об этом в блоге",
      "Подписаться на: Комментарии к сообщению",
      "wyślij pocztą e-mailwrzuć na bloga",
      "subskrybuj: komentarze do posta",
      "メールで送信blogthis!",
      "登録: コメントの投稿",
      "通过电子邮件发送blogthis!",
      "订阅： 博文评论",
      "訂閱： 張貼留言",
      "이메일로 전송blogthis!",
      "구독: 댓글"};
  // "Leave a Reply Cancel reply", "Click to share on X (Opens in new window)".
  static constexpr absl::string_view kEndings[] = {" cancel reply",
                                                   " cancelar resposta",
                                                   " cancelar respuesta",
                                                   " cancelar la respuesta",
                                                   " antwort abbrechen",
                                                   " antworten abbrechen",
                                                   " annuler la réponse",
                                                   " reactie annuleren",
                                                   " antwoord annuleren",
                                                   " annulla risposta",
                                                   " Отменить ответ",
                                                   " anuluj pisanie odpowiedzi",
                                                   " コメントをキャンセル",
                                                   " 取消回复",
                                                   " 取消回覆",
                                                   " 응답 취소",
                                                   " (opens in new window)",
                                                   " (abre em nova janela)",
                                                   " (se abre en una ventana nueva)",
                                                   " (wird in neuem fenster geöffnet)",
                                                   " (ouvre dans une nouvelle fenêtre)",
                                                   " (wordt in een nieuw venster geopend)",
                                                   " (si apre in una nuova finestra)",
                                                   " (Открывается в новом окне)",
                                                   " (otwiera się w nowym oknie)"};
  return kLines.contains(form) || BeginsWithAny(form, kBeginnings) ||
         EndsWithAny(absl::StrCat(" ", form), kEndings) || HasPermalink(form) ||
         IsLinkToPosts(form) || HasMarkOfRequiredFields(form);
}

// "►  July (2)".
bool IsMonthOfArchive(absl::string_view form) {
  const bool has_arrow = absl::StartsWith(form, "►") || absl::StartsWith(form, "▼");
  if (!has_arrow || !absl::ConsumeSuffix(&form, ")")) return false;
  const size_t digits = form.size() - (form.find_last_not_of("0123456789") + 1);
  form.remove_suffix(digits);
  return digits > 0 && absl::EndsWith(form, " (");
}

// Short lines that may also be headings, or lines of verse.
bool IsLabelOfFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{"share",
                                                               "loading...",
                                                               "twitter",
                                                               "facebook",
                                                               "pinterest",
                                                               "linkedin",
                                                               "reddit",
                                                               "tumblr",
                                                               "whatsapp",
                                                               "telegram",
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
                                                               "archivio blog",
                                                               "compartir esto",
                                                               "ähnliche beiträge",
                                                               "beitrags-navigation",
                                                               "articles similaires",
                                                               "post navigation",
                                                               "Поделиться ссылкой",
                                                               "Похожее",
                                                               "Главная страница",
                                                               "udostępnij",
                                                               "podobne",
                                                               "strona główna",
                                                               "ホーム",
                                                               "次の投稿",
                                                               "前の投稿",
                                                               "主页",
                                                               "首頁",
                                                               "홈"};
  static constexpr absl::string_view kBeginnings[] = {
      "labels:", "marcadores:", "etiquetas:", "libellés",      "etichette:",
      "Ярлыки:", "Метки:",      "etykiety:",  "ラベル:",       "标签：",
      "標籤：",  "라벨:",       "tagged:",    "subscribe to:", "Рубрика:"};
  return IsMonthOfArchive(form) || kLines.contains(form) ||
         (BeginsWithAny(form, kBeginnings) && !IsSentence(form));
}

// Lines as texts have them too, and not only as headings.
bool MayBeOfText(absl::string_view form) {
  static constexpr absl::string_view kBeginnings[] = {"posted in ",
                                                      "tagged ",
                                                      "published by ",
                                                      "publicado em ",
                                                      "publicado en ",
                                                      "veröffentlicht in ",
                                                      "publié dans ",
                                                      "verschlagwortet mit ",
                                                      "geplaatst in ",
                                                      "pubblicato in ",
                                                      "opublikowano w ",
                                                      "pingback: ",
                                                      "you are commenting using your ",
                                                      "click to share on ",
                                                      "click to email ",
                                                      "click to print ",
                                                      "clique para compartilhar ",
                                                      "haz clic para compartir ",
                                                      "klick, um auf ",
                                                      "klick, um über ",
                                                      "cliquez pour partager ",
                                                      "cliquer pour partager ",
                                                      "klik om te delen ",
                                                      "fai clic per condividere ",
                                                      "Нажмите, чтобы поделиться ",
                                                      "kliknij, aby udostępnić "};
  const bool is_arrow = absl::StartsWith(form, "← ") || absl::EndsWith(form, " →");
  const bool begins = BeginsWithAny(form, kBeginnings) || BeginsWithAny(form, kEntryWasPosted);
  return is_arrow || IsOfCommentForm(form) || (begins && !IsSentence(form));
}

// Removes "3 ", "1,234 " or "one " from the beginning of `form`.
bool ConsumeCount(absl::string_view& form) {
  const size_t space = form.find(' ');
  if (space == 0 || space == absl::string_view::npos) return false;
  const absl::string_view count = form.substr(0, space);
  static constexpr absl::string_view kOne[] = {"one", "um",   "uma",  "un",    "una",
                                               "ein", "eine", "une",  "een",   "één",
                                               "uno", "Один", "Одна", "jeden", "jedna"};
  const bool is_number = count.find_first_not_of("0123456789,") == absl::string_view::npos;
  if (!is_number && std::find(std::begin(kOne), std::end(kOne), count) == std::end(kOne)) {
    return false;
  }
  form.remove_prefix(space + 1);
  return true;
}

// Returns whether `form` is a count in a language that writes no spaces: "3件のコメント".
bool IsCloseCommentCount(absl::string_view form) {
  for (const absl::string_view noun : {"件のコメント", "件のフィードバック", "条评论", "个评论",
                                       "个回复", "則留言", "개의 댓글", "개의 응답"}) {
    absl::string_view rest = form;
    if (!absl::ConsumeSuffix(&rest, noun)) continue;
    rest = absl::StripTrailingAsciiWhitespace(rest);
    return absl::EndsWith(rest, "一") ||
           (!rest.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest.back())));
  }
  return absl::ConsumePrefix(&form, "댓글 ") && absl::ConsumeSuffix(&form, "개") && !form.empty() &&
         form.find_first_not_of("0123456789,") == absl::string_view::npos;
}

// "3 comments", "1,234 comments", "One thought on “Low Water”".
bool IsCommentCount(absl::string_view form) {
  static constexpr absl::string_view kNouns[] = {
      "comment",      "comments",   "comentário",  "comentários",  "comentario",  "comentarios",
      "kommentar",    "kommentare", "commentaire", "commentaires", "opmerking",   "opmerkingen",
      "reactie",      "reacties",   "commento",    "commenti",     "комментарий", "комментария",
      "комментариев", "komentarz",  "komentarze",  "komentarzy"};
  static constexpr absl::string_view kAboutTitle[] = {
      "thought on ",       "thoughts on ",    "comment on ",       "comments on ",
      "response to ",      "responses to ",   "reply to ",         "replies to ",
      "comentário em ",    "comentários em ", "comentário sobre ", "comentários sobre ",
      "ideia sobre ",      "ideias sobre ",   "comentario en ",    "comentarios en ",
      "respuesta a ",      "respuestas a ",   "gedanke zu ",       "gedanken zu ",
      "kommentar zu ",     "kommentare zu ",  "antwort auf ",      "antworten auf ",
      "réflexion sur ",    "réflexions sur ", "commentaire sur ",  "commentaires sur ",
      "réponse à ",        "réponses à ",     "gedachte over ",    "gedachten over ",
      "reactie op ",       "reacties op ",    "commento su ",      "commenti su ",
      "pensiero su ",      "pensieri su ",    "комментарий к ",    "комментария к ",
      "комментариев к ",   "комментарий на ", "комментария на ",   "комментариев на ",
      "komentarz do ",     "komentarze do ",  "komentarzy do ",    "myśl nt. ",
      "przemyślenia nt. ", "przemyśleń nt. "};
  static constexpr absl::string_view kQuotes[] = {"“", "\"", "„", "«", "‘", "”"};
  if (IsCloseCommentCount(form)) return true;
  if (!ConsumeCount(form)) return false;
  if (std::find(std::begin(kNouns), std::end(kNouns), form) != std::end(kNouns)) return true;
  return std::any_of(std::begin(kAboutTitle), std::end(kAboutTitle),
                     [form](absl::string_view about) {
                       absl::string_view title = form;
                       return absl::ConsumePrefix(&title, about) && BeginsWithAny(title, kQuotes);
                     });
}

// "Posted in Harbour | Tagged boats | 3 Comments".
bool AreFooterParts(absl::string_view form) {
  const std::vector<absl::string_view> parts = absl::StrSplit(form, " | ");
  return parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           return IsSureFooter(part) || IsCommentCount(part) || IsLabelOfFooter(part) ||
                  MayBeOfText(part);
         });
}

// Removes a time of day from the beginning of `text`: "10:00", "10:00 AM".
bool ConsumeTimeOfDay(absl::string_view& text) {
  for (const absl::string_view half : {"午前", "午後", "上午", "下午", "오전 ", "오후 "}) {
    if (absl::ConsumePrefix(&text, half)) break;
  }
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
    PostedBy{"posted by ", " on "},       PostedBy{"Автор: ", " на "},
    PostedBy{"autor: ", " o "},           PostedBy{"投稿者 ", " 時刻: "},
    PostedBy{"发布者：", " 时间： "},     PostedBy{"張貼者： ", " 於 "},
    PostedBy{"작성자: ", " 시간: "},
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

bool IsFooterLine(absl::string_view form) {
  return IsSureFooter(form) || IsCommentCount(form) || AreFooterParts(form);
}

// "Ann says:", as WordPress has it above the date of a comment. Texts have such lines too.
bool MayBeHeadOfComment(absl::string_view form) {
  static constexpr absl::string_view kVerbs[] = {
      " says",     " said",  " disse", " diz",  " dice",    " dijo",     " sagt",   " sagte",
      " schreibt", " dit",   " a dit", " zegt", " schreef", " ha detto", " scrive", " говорит",
      " пишет",    " pisze", " mówi",  "说道",  "說道",     "说",        "より",    "님의 말"};
  return form.size() < 80 && EndsWithAny(form, kVerbs);
}

// "Ann said...", above a comment.
bool IsSureHeadOfComment(absl::string_view form) {
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
      if (!form.empty()) entries_.push_back({.line = i, .form = std::move(form)});
    }
    for (size_t i = 0; i < entries_.size(); ++i) entries_[i].kind = KindOf(i);
    for (size_t i = entries_.size(); i-- > 0;) entries_[i].leads_to = LeadsTo(i);
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
  enum class Kind { kText, kMayBeOfText, kLabel, kSure };

  // What a line leads to by lines of a footer alone. Only labels lead to the end.
  enum class Goal { kText, kEnd, kSureLine };

  struct Entry {
    size_t line;
    std::string form;
    Kind kind = Kind::kText;
    Goal leads_to = Goal::kText;
  };

  Kind KindOf(size_t i) const {
    const std::string& form = entries_[i].form;
    if (IsFooterLine(form) || AuthorAt(i)) return Kind::kSure;
    if (IsLabelOfFooter(form)) return Kind::kLabel;
    return MayBeOfText(form) ? Kind::kMayBeOfText : Kind::kText;
  }

  // The next entry must have its goal.
  Goal LeadsTo(size_t i) const {
    const Kind kind = entries_[i].kind;
    if (kind == Kind::kText) return Goal::kText;
    if (kind == Kind::kSure) return Goal::kSureLine;
    const Goal next = i + 1 < entries_.size() ? entries_[i + 1].leads_to : Goal::kEnd;
    return next == Goal::kEnd && kind != Kind::kLabel ? Goal::kText : next;
  }

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
      } else if (IsHeadOfComment(i)) {
        last_comment_ = i;
      } else if (IsProse(i)) {
        last_prose_ = i;
      }
    }
  }

  // Lines of a footer also stand in texts. Where prose follows that is no comment, one of them is
  // not enough: what a reader loses here is gone.
  bool BeginsFooter(size_t i) const {
    const Entry& entry = entries_[i];
    const bool ends_prose = last_prose_ <= i;
    if (IsHeadOfComment(i)) return IsDatedComment(i);
    if (IsCommentCount(entry.form)) return ends_prose || last_comment_ > i || last_sure_ > i;
    if (entry.kind == Kind::kSure) return ends_prose || IsBesideFooter(i);
    if (GoesOn(i)) return false;
    // A label alone is no footer, unless it names labels.
    const bool is_last = i + 1 == entries_.size();
    return is_last ? !TagsAt(i).empty() && entry.kind == Kind::kLabel
                   : entry.leads_to != Goal::kText;
  }

  // Returns whether a line goes on from the one right above it, as "home" does in verse.
  bool GoesOn(size_t i) const {
    if (i == 0 || entries_[i - 1].line + 1 != entries_[i].line) return false;
    return entries_[i - 1].kind == Kind::kText &&
           !HasStop(TrimWhiteSpace(lines_[entries_[i - 1].line]));
  }

  bool IsHeadOfComment(size_t i) const {
    if (IsSureHeadOfComment(entries_[i].form)) return true;
    return MayBeHeadOfComment(entries_[i].form) && i + 1 < entries_.size() &&
           ParseWrittenDate(lines_[entries_[i + 1].line]).has_value();
  }

  // Returns whether a line is of running text: long, or a sentence.
  bool IsProse(size_t i) const {
    constexpr size_t kMaxCharactersOfLabel = 60;
    if (entries_[i].kind != Kind::kText) return false;
    const absl::string_view line = TrimWhiteSpace(lines_[entries_[i].line]);
    return CountCharacters(line) > kMaxCharactersOfLabel || IsSentence(line);
  }

  // Returns whether a date follows "Ann said..." before somebody else said something, and a line of
  // a footer at the end. In an interview, none does.
  bool IsDatedComment(size_t i) const {
    for (size_t next = i + 1; next < last_sure_; ++next) {
      if (IsHeadOfComment(next)) return false;
      if (ParseWrittenDate(lines_[entries_[next].line])) return true;
    }
    return false;
  }

  // Returns whether one of the next lines is of a footer.
  bool IsBesideFooter(size_t i) const {
    for (size_t next = i + 1; next < std::min(i + 4, entries_.size()); ++next) {
      const Kind kind = entries_[next].kind;
      if (kind == Kind::kSure || kind == Kind::kLabel || IsHeadOfComment(next)) return true;
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
         {"labels:", "marcadores:", "etiquetas:", "libellés :", "libellés:", "etichette:",
          "Ярлыки:", "etykiety:", "ラベル:", "标签：", "標籤：", "라벨:"}) {
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
