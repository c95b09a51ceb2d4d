"""Text as a hostile log would write it, for property tests of every channel."""

from hypothesis import strategies as st

hostile = st.lists(
    st.sampled_from(
        ["<!here>", "<!channel|x>", "<@U123>", "@here", "@channel ", "@Everyone", "```", "`", "\x1b[31m", "\u202e",
         "&lt;", "&", "\n", "😀", "*", "_", "<http://evil|OK>", "torch.cuda.OutOfMemoryError: ", "x" * 700, "\ud800"]
    )
    | st.text(max_size=30),
    max_size=30,
).map("".join)  # fmt: skip
