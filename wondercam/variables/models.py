"""Models and their providers. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "Models"
INTRODUCTION = ""

VARIABLES = (
    Variable(
        "WONDERCAM_MODELS",
        None,
        (
            "List of `provider/model`, the default first, such as `local/smollm2-135m, openai/llama3.2-vision`."
            " `recording/*` stands for all recordings"
        ),
        shown="every configured provider's",
        wrong="a provider that is not configured, a model it does not have",
    ),
    Variable(
        "WONDERCAM_DISCOVER",
        None,
        (
            "Whether the server, when it starts, looks for Ollama, LM Studio and llama.cpp's server on this machine"
            " (127.0.0.1, ports 11434, 1234 and 8080), and offers their models, those that see photos first. It has no"
            " effect if `WONDERCAM_MODELS` is set, which can name them (`ollama/gemma3:4b`, `lmstudio/*`, `llamacpp/*`)"
        ),
        shown="as that of `WONDERCAM_GUESTS`",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_FALLBACKS",
        None,
        (
            "List of `provider/model=provider/model`: if the first fails before its answer begins, the second answers "
            "instead, and the user is told"
        ),
        shown="none",
        wrong="a model this server does not have",
    ),
    Variable(
        "WONDERCAM_CONTINUE",
        "local",
        (
            "The providers whose answers another worker continues if theirs has died or stops, instead of ending them "
            "as interrupted: `off`, `all`, or a list such as `local, gemini`. The model is asked again, so an answer "
            "may cost twice as much"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_TITLES",
        "ollama, lmstudio, llamacpp",
        (
            "The providers whose models are asked for a chat's title after its first answer; other chats are named by "
            "the question's first words. `off`, `all`, or a list such as `ollama, gemini`. Each new chat of the page "
            "or of `/v2/…` then takes one more short request, whose tokens count as usual; the default providers run "
            "on this machine and cost nothing. The embedded model is never asked"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_PRICES",
        None,
        (
            "List of `provider/model=input/output`: the prices of a million input tokens and a million output tokens,"
            " such as `gemini/gemini-2.5-flash=0.30/2.50, openai/*=1/4` (`*`: the provider's other models). The admin's"
            " list *spending* then shows costs"
        ),
        shown="none",
        wrong="anything else; two prices of one model",
    ),
    Variable("WONDERCAM_CURRENCY", "USD", "The currency of these prices", wrong="other than three capital letters"),
    Variable(
        "WONDERCAM_UPSTREAM_ATTEMPTS",
        3,
        "Attempts at one answer, including the first; another one is made only before the answer has begun",
        wrong="not a whole number from 1",
    ),
    Variable(
        "WONDERCAM_UPSTREAM_RETRY_SECONDS",
        10,
        "The longest `Retry-After` of a model's server that is waited for; a longer one is passed on to the user",
        wrong="not a number from 0",
    ),
    Variable(
        "WONDERCAM_LIMIT_LOADING_SECONDS",
        None,
        (
            "`WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS` for a model on this machine (embedded, discovered, or at a loopback"
            " address), which may have to be loaded first; the user is told. It does not count as part of"
            " `WONDERCAM_LIMIT_STREAM_SECONDS`, and is not longer than that"
        ),
        shown="300, or `WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS` where that is set",
        wrong="not a number from 0.01",
    ),
    Variable(
        "WONDERCAM_OCR",
        True,
        "Models that cannot see get a description of photos (things, text, codes); off, photos to them are refused",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_OCR_SECONDS",
        20,
        "Seconds that recognition may take for one photo; after that the description has what was recognised so far",
        wrong="not a number from 0.1",
    ),
    Variable(
        "LOCAL_SLOTS",
        2,
        "Questions that the embedded model answers concurrently; others wait in a queue",
        wrong="not a whole number from 1",
    ),
    Variable(
        "LOCAL_CONTEXT",
        2048,
        "Tokens of a conversation that the embedded model sees; older turns are left out",
        shown="2048; 8192 with `LOCAL_MMPROJ`",
        wrong="not a whole number from 1024",
    ),
    Variable(
        "LOCAL_THREADS",
        None,
        "Threads of the embedded model",
        shown="all cores but one",
        wrong="not a whole number from 1",
    ),
    Variable(
        "LOCAL_WEIGHTS",
        None,
        (
            "The GGUF file of another model, which runs instead of the embedded one; its name is `local/` and the "
            "file's name in lower case, without `.gguf`"
        ),
        shown="those installed",
        wrong="a file that does not exist, or is not GGUF",
    ),
    Variable(
        "LOCAL_MMPROJ",
        None,
        "The projector of that model (GGUF, often named `mmproj-….gguf`): with it the model sees photos",
        shown="none",
        wrong="a file that does not exist, is not a projector, or is that of another model; no `LOCAL_WEIGHTS`",
    ),
    Variable(
        "OPENAI_BASE_URL",
        None,
        (
            "The URL of any OpenAI-compatible server, including `/v1`: Ollama, vLLM, llama.cpp and others. Name its "
            "models in `WONDERCAM_MODELS`"
        ),
        shown="OpenAI's, with a key",
        wrong="not an http or https URL; one with a user, query or fragment",
    ),
    Variable(
        "OPENAI_API_KEY",
        None,
        "The key for it; a server of your own may need none",
        shown="none",
        wrong="spaces, line ends, other than ASCII",
    ),
    Variable(
        "OPENAI_IMAGES",
        None,
        "List of its models that see photos; `1` for all, `0` for none",
        shown="what the server says",
    ),
    Variable(
        "OPENAI_SOUNDS",
        None,
        "List of its models that hear sounds; `1` for all, `0` for none",
        shown="what the server says",
    ),
    Variable(
        "OPENAI_CONTEXT",
        None,
        "Context of its models in tokens: one number for all, or a list of `model=number`",
        shown="what the server says",
        wrong="not a whole number from 1",
    ),
    Variable(
        "GEMINI_API_KEY",
        None,
        "The key for Google's Gemini API; it configures the provider `gemini`",
        shown="none",
        wrong="spaces, line ends, other than ASCII",
    ),
    Variable(
        "GEMINI_BASE_URL",
        None,
        "Another server that speaks the Gemini API",
        shown="Google's",
        wrong="not an http or https URL; one with a user, query or fragment",
    ),
    Variable(
        "VERTEX_PROJECT",
        None,
        ("The Google Cloud project for the provider `vertex`, which uses Google's application default credentials"),
        shown="none",
        wrong="not the name of a project",
    ),
    Variable("VERTEX_LOCATION", "global", "Its region, such as `europe-west4`", wrong="not the name of a region"),
    Variable(
        "VERTEX_BASE_URL",
        None,
        "Another URL of Vertex AI, such as a private endpoint",
        shown="Google's, by region",
        wrong="not an http or https URL; one with a user, query or fragment",
    ),
    Variable(
        "WONDERCAM_RECORDINGS",
        "tests/recordings",
        "The folder of recordings (`<name>.jsonl`) that the provider `recording` plays",
        wrong="not a folder",
    ),
    Variable(
        "WONDERCAM_RECORDING_SPEED",
        1,
        "`1` plays as recorded, `2` twice as fast, `0` at once",
        wrong="not a number from 0",
    ),
)
