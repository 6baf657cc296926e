package notes

// hub hands news of wikis to their followers.
type hub struct{}
