"""What every page of the console shares: who is let in, how a page is rendered, forms, lists, words, assets."""
