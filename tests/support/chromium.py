"""How every browser test starts Chromium: quiet, and without the parts of its window that no test looks at."""

from __future__ import annotations

# Chromium listens to the last list of features alone, so what Playwright turns off by itself is turned off here again.
TURNED_OFF_BY_PLAYWRIGHT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying",
    "AimEnabled", "PreconnectToSearch", "msForceBrowserSignIn", "msEdgeUpdateLaunchServicesPreferredVersion",
)  # fmt: skip
# Two pages of Chromium's own stand behind the address bar of each window, also where nobody sees a window, and cost more
# than what the tests open in it.
ADDRESS_BAR = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-features=" + ",".join((*TURNED_OFF_BY_PLAYWRIGHT, *ADDRESS_BAR)),
)  # fmt: skip
