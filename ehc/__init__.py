"""ehc: China's electronic health card (电子健康卡). Start at README.md; the core's API is ehc.crypto."""

__version__ = "0.1.0"
