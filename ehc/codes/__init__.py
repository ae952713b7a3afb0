"""QR codes of cards (二维码管理, 5.5): composing, issuing, drawing and verifying them. See README.md."""
