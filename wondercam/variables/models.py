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
            " `recording/*` is every recording"
        ),
        shown="every configured provider's",
        wrong="a provider that is not configured, a model it does not have",
    ),
    Variable(
        "WONDERCAM_DISCOVER",
        None,
        (
            "Whether Ollama, LM Studio and llama.cpp's server are looked for on this machine as the server starts"
            " (127.0.0.1, ports 11434, 1234 and 8080), and their models offered, those that see first. Without effect"
            " where `WONDERCAM_MODELS` is set: it can name them (`ollama/gemma3:4b`, `lmstudio/*`, `llamacpp/*`)"
        ),
        shown="as that of `WONDERCAM_GUESTS`",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_FALLBACKS",
        None,
        (
            "List of `provider/model=provider/model`: where the first cannot begin an answer, the second gives "
            "it, and the reader is told"
        ),
        shown="none",
        wrong="a model this server does not have",
    ),
    Variable(
        "WONDERCAM_CONTINUE",
        "local",
        (
            "Whose answers another worker goes on with when theirs has died or was told to stop, in place of ending "
            "them as interrupted: `off`, `all`, or a list of providers such as `local, gemini`. The model is asked "
            "again, so an answer may be paid for twice"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_TITLES",
        "ollama, lmstudio, llamacpp",
        (
            "Whose models are asked for a chat's title after its first answer, in place of the question's first words: "
            "`off`, `all`, or a list of providers such as `ollama, gemini`. It is one more short request for each new "
            "chat, of the page or of `/v2/…`, and counts as any other; the default are models of this machine, which "
            "cost nothing. The embedded model is never asked"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_PRICES",
        None,
        (
            "List of `provider/model=input/output`: what a million tokens given to the model and a million that it"
            " makes cost, such as `gemini/gemini-2.5-flash=0.30/2.50, openai/*=1/4` (`*`: the provider's other models)."
            " The admin's list *spending* then shows amounts"
        ),
        shown="none",
        wrong="anything else; two prices of one model",
    ),
    Variable("WONDERCAM_CURRENCY", "USD", "What these prices are in", wrong="other than three capital letters"),
    Variable(
        "WONDERCAM_UPSTREAM_ATTEMPTS",
        3,
        "How often a model's server is asked, the first time included, before anything of the answer came",
        wrong="no whole number from 1",
    ),
    Variable(
        "WONDERCAM_UPSTREAM_RETRY_SECONDS",
        10,
        "The longest `Retry-After` that is waited for; a longer one is passed on to the reader",
        wrong="no number from 0",
    ),
    Variable(
        "WONDERCAM_LIMIT_LOADING_SECONDS",
        None,
        (
            "`WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS` for a model on this machine (embedded, found, or at a loopback"
            " address), which may have to be loaded first; the reader is told. No part of"
            " `WONDERCAM_LIMIT_STREAM_SECONDS`, and no longer than it"
        ),
        shown="300, or `WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS` where that is set",
        wrong="no number from 0.01",
    ),
    Variable(
        "WONDERCAM_OCR",
        True,
        "What can be recognised in a photo (things, text, codes) is told to models that cannot see; off, it is refused",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_OCR_SECONDS",
        20,
        "How long looking at one photo may take; what was recognised until then is the answer",
        wrong="no number from 0.1",
    ),
    Variable(
        "LOCAL_SLOTS",
        2,
        "Conversations the embedded model answers at once; others wait in line",
        wrong="no whole number from 1",
    ),
    Variable(
        "LOCAL_CONTEXT",
        2048,
        "Tokens of a conversation that the embedded model sees; older turns are left out",
        shown="2048; 8192 with `LOCAL_MMPROJ`",
        wrong="no whole number from 1024",
    ),
    Variable(
        "LOCAL_THREADS",
        None,
        "Cores the embedded model may use",
        shown="all cores but one",
        wrong="no whole number from 1",
    ),
    Variable(
        "LOCAL_WEIGHTS",
        None,
        (
            "The GGUF file of another model, run in the embedded one's place; its name is `local/` and the file's in"
            " small letters, without `.gguf`"
        ),
        shown="those installed",
        wrong="a file that is not there, or is no GGUF",
    ),
    Variable(
        "LOCAL_MMPROJ",
        None,
        "The projector of that model (GGUF, often named `mmproj-….gguf`): with it the model sees photos",
        shown="none",
        wrong="a file that is not there, is no projector, or is that of another model; no `LOCAL_WEIGHTS`",
    ),
    Variable(
        "OPENAI_BASE_URL",
        None,
        (
            "Any OpenAI-compatible server, up to and with `/v1`: Ollama, vLLM, llama.cpp and others. Name its "
            "models in `WONDERCAM_MODELS`"
        ),
        shown="OpenAI's, with a key",
        wrong="no http or https address; one with a user, query or fragment",
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
        "Tokens its models can see: one number for all, or a list of `model=number`",
        shown="what the server says",
        wrong="no whole number from 1",
    ),
    Variable(
        "GEMINI_API_KEY",
        None,
        "The key for Google's Gemini API; with it the provider `gemini` is configured",
        shown="none",
        wrong="spaces, line ends, other than ASCII",
    ),
    Variable(
        "GEMINI_BASE_URL",
        None,
        "Another server that speaks the Gemini API",
        shown="Google's",
        wrong="no http or https address; one with a user, query or fragment",
    ),
    Variable(
        "VERTEX_PROJECT",
        None,
        ("The Google Cloud project for the provider `vertex`, which uses Google's application default credentials"),
        shown="none",
        wrong="no project's name",
    ),
    Variable("VERTEX_LOCATION", "global", "Its region, such as `europe-west4`", wrong="no region's name"),
    Variable(
        "VERTEX_BASE_URL",
        None,
        "Another address of Vertex AI, such as a private endpoint",
        shown="Google's, by region",
        wrong="no http or https address; one with a user, query or fragment",
    ),
    Variable(
        "WONDERCAM_RECORDINGS",
        "tests/recordings",
        "The folder of recordings (`<name>.jsonl`) that the provider `recording` plays",
        wrong="no folder",
    ),
    Variable(
        "WONDERCAM_RECORDING_SPEED",
        1,
        "`1` plays as recorded, `2` twice as fast, `0` at once",
        wrong="no number from 0",
    ),
)
