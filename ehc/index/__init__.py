"""5.1 跨域主索引, the cross-domain master index: see README.md."""
